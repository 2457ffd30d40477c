"""How prompts in WebUI's syntax are read, beside what diffusion-prompt-embedder makes of them."""

from __future__ import annotations

import time
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd2_demo.generate.prompt.weights import LEAST, MOST, read, words

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from diffusion_prompt_embedder import parse_prompt_attention

Pieces = list[tuple[str, float]]

# Read alike by both.
ALIKE: dict[str, Pieces] = {
    "a cat": [("a cat", 1)],
    "a (red:1.2) cat": [("a ", 1), ("red", 1.2), (" cat", 1)],
    "(a)": [("a", 1.1)],
    "((a))": [("a", 1.21)],
    "[a]": [("a", 1 / 1.1)],
    "[[a]]": [("a", 1 / 1.21)],
    "([a])": [("a", 1)],
    "a ([b]) c": [("a b c", 1)],
    "((a) b)": [("a", 1.21), (" b", 1.1)],
    "((a:1.2) b:1.1)": [("a", 1.32), (" b", 1.1)],
    "(a [b) c]": [("a ", 1.1), ("b", 1), (" c", 1 / 1.1)],
    r"\(a\) \[b\]": [("(a) [b]", 1)],
    r"(\(a\):1.3)": [("(a)", 1.3)],
    r"a \\ b": [("a \\ b", 1)],
    "(a :  1.2  )": [("a ", 1.2)],
    "(a:+1.2)": [("a", 1.2)],
    "(a:.7)": [("a", 0.7)],
    "(a:1.)b": [("ab", 1)],
    # Not well formed.
    "(a": [("a", 1.1)],
    "((a": [("a", 1.21)],
    "[a": [("a", 1 / 1.1)],
    "a (b": [("a ", 1), ("b", 1.1)],
    "a)": [("a)", 1)],
    "a]": [("a]", 1)],
    "a:1.2)": [("a:1.2)", 1)],
    "(a:b)": [("a:b", 1.1)],
    "(a:1.2:3)b": [("a:1.2", 1.5), ("b", 1)],
    "(a:nan)": [("a:nan", 1.1)],
    "(a:inf)": [("a:inf", 1.1)],
    "(a:1e9)": [("a:1e9", 1.1)],
    "(a:1,2)": [("a:1,2", 1.1)],
    "[a:1.4]": [("a:1.4", 1 / 1.1)],
    "{a:1.4}": [("{a:1.4}", 1)],
    "a:b": [("a:b", 1)],
    "): (": [("): ", 1)],
    # Out of bounds: the library does not bound.
    "(a:0)b": [("a", 0.5), ("b", 1)],
    "(a:-3)b": [("a", 0.5), ("b", 1)],
    "(a:1000)b": [("a", 1.5), ("b", 1)],
    f"(a:{'9' * 400})b": [("a", 1.5), ("b", 1)],
    "(" * 50 + "a" + ")" * 50: [("a", 1.5)],
}

# Read otherwise, for these reasons.
OURS: dict[str, tuple[str, Pieces]] = {
    r"a \o/ b": ("a backslash that escapes nothing is text", [(r"a \o/ b", 1)]),
    r"\{a\|b\}": ("braces and bars are escaped in templates", [("{a|b}", 1)]),
    "(a:1.2.3)": ("the library fails", [("a:1.2.3", 1.1)]),
    "(a:.)": ("the library fails", [("a:.", 1.1)]),
    "(:1.2)": ("nothing has no weight", [("", 1)]),
    "()": ("nothing has no weight", [("", 1)]),
    "( ) a": ("an empty bracket leaves its space", [(" ", 1.1), (" a", 1)]),
}


def pieces(prompt: str) -> Pieces:
    [section] = read(prompt)
    return [(piece.text, piece.weight) for piece in section]


def theirs(prompt: str) -> Pieces:
    """The library's, with its weights in our bounds and its empty pieces left out."""
    bounded = [(str(text), min(max(float(weight), LEAST), MOST)) for text, weight in parse_prompt_attention(prompt)]
    return [(text, weight) for text, weight in bounded if text]


def letters(pieces: Pieces) -> Pieces:
    return [(letter, weight) for text, weight in pieces for letter in text]


def same(one: Pieces, two: Pieces) -> bool:
    texts = [text for text, _ in one] == [text for text, _ in two]
    return texts and [weight for _, weight in one] == pytest.approx([weight for _, weight in two], abs=1e-5)


@pytest.mark.parametrize("prompt", ALIKE)
def test_it_is_read_as_the_field_does(prompt: str) -> None:
    assert same(pieces(prompt), ALIKE[prompt])
    assert same(theirs(prompt), ALIKE[prompt])


@pytest.mark.parametrize("prompt", OURS)
def test_it_is_read_otherwise_for_a_reason(prompt: str) -> None:
    assert same(pieces(prompt), OURS[prompt][1])


@pytest.mark.parametrize("prompt", ["(a:1.2.3)", "(a:.)"])
def test_the_library_fails_there(prompt: str) -> None:
    with pytest.raises(ValueError, match="could not convert"):
        parse_prompt_attention(prompt)


@pytest.mark.parametrize(
    ("prompt", "sections"),
    [
        ("a BREAK b", [[("a ", 1)], [(" b", 1)]]),
        ("(a BREAK b:1.2)", [[("a ", 1.2)], [(" b", 1.2)]]),
        ("(a)BREAK[b]", [[("a", 1.1)], [("b", 1 / 1.1)]]),
        ("BREAK a BREAK BREAK b BREAK", [[(" a ", 1)], [(" b ", 1)]]),
        ("BREAKFAST break", [[("BREAKFAST break", 1)]]),
        ("BREAK", [[("", 1)]]),
        ("BREAK ()", [[("", 1)]]),
    ],
)
def test_break_ends_a_section_and_none_is_empty(prompt: str, sections: list[Pieces]) -> None:
    read_ = [[(piece.text, piece.weight) for piece in section] for section in read(prompt)]
    assert len(read_) == len(sections)
    assert all(same(one, two) for one, two in zip(read_, sections, strict=True))


@given(st.text("ab:,.|{} \n", max_size=60))
def test_text_without_brackets_is_read_as_it_is(prompt: str) -> None:
    assert pieces(prompt) == [(prompt if prompt.strip() else "", 1)]
    assert words(prompt).strip() == prompt.strip()


@given(st.text("ab()[]:1.2 ", max_size=60))
def test_whatever_the_library_reads_is_read_alike(prompt: str) -> None:
    try:
        expected = theirs(prompt)
    except ValueError:
        read(prompt)
        return
    # Letter by letter: where nothing stands between brackets, one of the two begins a new piece.
    assert same(letters(pieces(prompt)), letters(expected) if words(prompt) else [])


@given(st.text(r"ab()[]{}|\:1.2- BREAK", max_size=80))
def test_every_prompt_is_read_within_bounds(prompt: str) -> None:
    sections = read(prompt)
    assert sections
    assert all(LEAST <= piece.weight <= MOST for section in sections for piece in section)


@pytest.mark.parametrize(
    "unit", ["(", "[", ")", "(a", "[a", "(a)", "(a:9)", ":1", ":", ": ", "BREAK ", "\\", r"\(", "(a[b", ":" + " " * 50]
)
def test_no_ten_thousand_characters_take_long(unit: str) -> None:
    prompt = (unit * 10_000)[:10_000]
    started = time.process_time()
    read(prompt)
    read(f":{'1' * 9_999}")
    read("(" * 3_300 + "a" + ":99)" * 1_600)
    assert time.process_time() - started < 2


def test_words_are_the_text_alone() -> None:
    assert words(r"a ((red)) (fox:1.2), [blue] \(x\) BREAK b") == "a red fox, blue (x)   b"
