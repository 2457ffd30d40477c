from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from dmd2_demo.errors import DemoError
from dmd2_demo.generate import fields

NO_NUMBERS: list[object] = [None, "", "many", [], {}, math.nan, "nan"]
HUGE = [pytest.param(10**400, id="huge"), pytest.param(-(10**400), id="-huge"), pytest.param("9" * 400, id="digits")]
OUT_OF_RANGE = [math.inf, -math.inf, -1, 1.6, 1e308, *HUGE]


@pytest.mark.parametrize("value", [0, 1, 1.5, "0.75", True])
def test_number_in_range_is_given_as_float(value: object) -> None:
    checked = fields.number("Scale", value, 0, 1.5)
    assert isinstance(checked, float)
    assert checked == float(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [*NO_NUMBERS, *OUT_OF_RANGE])
def test_number_is_refused_in_one_sentence_that_names_the_field(value: object) -> None:
    with pytest.raises(DemoError, match=r"^Scale must be (a number|between 0 and 1\.5)\.$"):
        fields.number("Scale", value, 0, 1.5)


@pytest.mark.parametrize("value", [64, 72.0, "256"])
def test_whole_number_on_the_grid_is_given_as_int(value: object) -> None:
    checked = fields.whole("Width", value, 64, 256, 8)
    assert isinstance(checked, int)
    assert checked == int(value)  # type: ignore[call-overload]


@pytest.mark.parametrize("value", [*NO_NUMBERS, *OUT_OF_RANGE, 56, 264, 100, 64.5])
def test_whole_number_is_refused_in_one_sentence_that_tells_the_grid(value: object) -> None:
    with pytest.raises(DemoError, match=r"^Width must be a multiple of 8 from 64 to 256\.$"):
        fields.whole("Width", value, 64, 256, 8)


def test_whole_number_without_grid_says_so() -> None:
    with pytest.raises(DemoError, match=r"^Pictures must be a whole number from 1 to 8\.$"):
        fields.whole("Pictures", 2.5, 1, 8)


def test_both_ends_of_a_range_belong_to_it() -> None:
    assert [fields.number("Scale", value, 0, 2) for value in (0, 2)] == [0, 2]
    assert [fields.whole("Seed", value, 0, 2**32 - 1) for value in (0, 2**32 - 1)] == [0, 2**32 - 1]


@pytest.mark.parametrize("value", ["", "   ", "\n\t ", None, 7, ["a cat"]])
def test_empty_prompt_is_refused(value: object) -> None:
    with pytest.raises(DemoError, match="the prompt is empty"):
        fields.prompt(value)


def test_prompt_loses_only_the_white_space_around_it() -> None:
    assert fields.prompt("  a cat,\n a dog ") == "a cat,\n a dog"


@pytest.mark.parametrize("filler", ["x", "語", "🦊"])
def test_longest_prompt_is_taken_and_one_character_more_is_not(filler: str) -> None:
    assert len(fields.prompt(filler * fields.LONGEST_PROMPT)) == fields.LONGEST_PROMPT
    with pytest.raises(DemoError, match=r"^The prompt has 10,001 characters; the most is 10,000\.$"):
        fields.prompt(filler * (fields.LONGEST_PROMPT + 1))


@pytest.mark.parametrize("check", [fields.number, fields.whole])
def test_what_is_wrong_with_a_value_hides_no_other_error(check: Callable[..., float]) -> None:
    with pytest.raises(DemoError) as raised:
        check("Seed", "x", 0, 1)
    assert raised.value.__suppress_context__
