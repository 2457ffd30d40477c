from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd2_demo.generate.clean_text import cleaned, is_blank

ANYTHING = st.text(st.characters(codec=None, exclude_categories=()))
FLAG = "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in "gbeng") + "\U000e007f"


@pytest.mark.parametrize(
    "text",
    [
        "a cat, 50 % off: <b>bold</b> & “quoted”",
        "two\nlines",
        "un été à Zürich",
        "語 と 犬",
        "חתול כחול",
        "قطة زرقاء",
        "می‌خواهم",  # joined but not: Persian
        "क्षत्रिय",
        "ผู้ใหญ่",
        "👩‍🚀 ❤️ 👍🏽 " + FLAG,
        "\U0001fadd",  # newer than this Python's Unicode may be
    ],
)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert cleaned(text) == text
    assert not is_blank(text)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a cat \ud83e", "a cat"),
        ("\udd8a a cat", "a cat"),
        ("a \ud83e\udd8a and \ud83e", "a 🦊 and"),
        ("a\x00 cat\x1b[31m\x7f", "a cat[31m"),
        ("a\r\ncat\rsits\u2028down\x85now", "a\ncat\nsits\ndown\nnow"),
        ("a\tcat", "a cat"),
        ("\u202ea cat\u202c \u2066here\u2069 \u200f\u200e\u061c", "a cat here"),
        ("\ufeffa\u200b c\u2060a\u00adt", "a cat"),
        ("a cat\ufffe\uffff\U0010ffff\ufdd0", "a cat"),
        ("  a cat \u3000\u00a0", "a cat"),
    ],
)
def test_what_nobody_sees_goes(text: str, clean: str) -> None:
    assert cleaned(text) == clean


@pytest.mark.parametrize("mark", ["\u0301", "\u0489", "\u20dd", "\ufe0f"])
def test_a_letter_has_no_more_marks_than_a_letter_may_need(mark: str) -> None:
    assert cleaned("a" + 3 * mark + "b" + 5_000 * mark + "c") == "a" + 3 * mark + "b" + 8 * mark + "c"


@pytest.mark.parametrize(
    "text", ["", " ", "\n\t ", "\u3000\u2003\u00a0\u1680", "\u200d\u200c", "\u3164\u2800", "\u0301\ufe0f"]
)
def test_what_only_takes_place_is_blank(text: str) -> None:
    assert is_blank(text)


@given(ANYTHING)
def test_any_text_can_be_written_to_a_file_and_stays_when_it_is_cleaned_again(text: str) -> None:
    clean = cleaned(text)
    assert clean.encode().decode() == clean == cleaned(clean)
