from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.prompt.choices import expanded


@pytest.mark.parametrize(
    ("template", "prompts"),
    [
        ("a cat", ["a cat"]),
        ("a {cat|dog}", ["a cat", "a dog"]),
        ("a {cat|dog} on {red|blue}", ["a cat on red", "a cat on blue", "a dog on red", "a dog on blue"]),
        ("a {cat|{red|blue} dog}", ["a cat", "a red dog", "a blue dog"]),
        ("{a {b|c}|d}", ["a b", "a c", "d"]),
        ("a{ small|} cat", ["a small cat", "a cat"]),
        ("{a|a}", ["a", "a"]),
        ("a {(cat:1.2)|[dog]}", ["a (cat:1.2)", "a [dog]"]),
        # Text: braces without a bar, half pairs, bars without braces, and what follows a backslash.
        ("a {cat}", ["a {cat}"]),
        ("{a {b|c}}", ["{a b}", "{a c}"]),
        ("a {cat|dog", ["a {cat|dog"]),
        ("a cat|dog} {", ["a cat|dog} {"]),
        ("{a|{b|c}", ["{a|b", "{a|c"]),
        ("{a|b}}", ["a}", "b}"]),
        ("{}|{}", ["{}|{}"]),
        (r"a \{cat|dog}", [r"a \{cat|dog}"]),
        (r"a {cat\|dog}", [r"a {cat\|dog}"]),
        (r"a {cat\}|dog}", [r"a cat\}", "a dog"]),
        (r"a \\{cat|dog}", [r"a \\cat", r"a \\dog"]),
        ("a cat\\", ["a cat\\"]),
        ("{a\n|b}", ["a\n", "b"]),
    ],
)
def test_choices_make_one_prompt_each_in_order(template: str, prompts: list[str]) -> None:
    assert list(expanded(template, 8)) == prompts


@pytest.mark.parametrize(
    "template", ["{a|b|c}", "{a|b} {c|d}", "{a|{b|{c|d}}}", "{a|b}" * 2000, "{a|" * 3000 + "}" * 3000]
)
def test_more_than_the_most_is_a_sentence(template: str) -> None:
    with pytest.raises(DemoError, match="choices in braces make more than 2 prompts"):
        expanded(template, 2)


@given(st.text(r"{|}\ab", max_size=40))
def test_a_prompt_stands_for_itself_alone(template: str) -> None:
    try:
        prompts = expanded(template, 8)
    except DemoError:
        return
    assert all(expanded(prompt, 1) == (prompt,) for prompt in prompts)
    assert all(len(prompt) <= len(template) for prompt in prompts)


@pytest.mark.parametrize("unit", ["{", "}", "{a", "|", "\\", "{}", r"\{", "{a|b", "{|"])
def test_no_ten_thousand_characters_take_long(unit: str) -> None:
    template = (unit * 10_000)[:9_990]
    started = time.process_time()
    for text in (template, template + "}" * 5, "{a|b}" + template, "{" * 4000 + "a|b" + "}" * 4000):
        assert len(expanded(text, 8)) <= 8
    assert time.process_time() - started < 2
