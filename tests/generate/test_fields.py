from __future__ import annotations

import math

import pytest

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.fields import LONGEST_PROMPT, Flag, Number, Numeric, Prompt, Range, Whole
from dmd2_demo.models.catalogue import FAMILIES

FAMILY = FAMILIES["embedded"]
SCALE = Number("Scale", range=Range(0, 1.5))
WIDTH = Whole("Width", range=Range(64, 256, 8))
PICTURES = Whole("Pictures", range=Range(1, 8))
PROMPT = Prompt("Prompt")

NO_NUMBERS: list[object] = [None, "", "many", [], {}, math.nan, "nan", True, False]
HUGE = [pytest.param(10**400, id="huge"), pytest.param(-(10**400), id="-huge"), pytest.param("9" * 400, id="digits")]
OUT_OF_RANGE = [math.inf, -math.inf, -1, 1.6, 1e308, *HUGE]


@pytest.mark.parametrize("value", [0, 1, 1.5, "0.75"])
def test_number_in_range_is_given_as_float(value: object) -> None:
    checked = SCALE.check(value, FAMILY)
    assert isinstance(checked, float)
    assert checked == float(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [*NO_NUMBERS, *OUT_OF_RANGE])
def test_number_is_refused_in_one_sentence_that_names_the_field(value: object) -> None:
    with pytest.raises(DemoError, match=r"^Scale must be (a number|between 0 and 1\.5)\.$"):
        SCALE.check(value, FAMILY)


@pytest.mark.parametrize("value", [64, 72.0, "256"])
def test_whole_number_on_the_grid_is_given_as_int(value: object) -> None:
    checked = WIDTH.check(value, FAMILY)
    assert isinstance(checked, int)
    assert checked == int(value)  # type: ignore[call-overload]


@pytest.mark.parametrize("value", [*NO_NUMBERS, *OUT_OF_RANGE, 56, 264, 100, 64.5])
def test_whole_number_is_refused_in_one_sentence_that_tells_the_grid(value: object) -> None:
    with pytest.raises(DemoError, match=r"^Width must be a multiple of 8 from 64 to 256\.$"):
        WIDTH.check(value, FAMILY)


def test_whole_number_without_grid_says_so() -> None:
    with pytest.raises(DemoError, match=r"^Pictures must be a whole number from 1 to 8\.$"):
        PICTURES.check(2.5, FAMILY)


def test_both_ends_of_a_range_belong_to_it() -> None:
    assert [SCALE.check(value, FAMILY) for value in (0, 1.5)] == [0, 1.5]
    assert [WIDTH.check(value, FAMILY) for value in (64, 256)] == [64, 256]


@pytest.mark.parametrize(
    "value", ["", "   ", "\n\t ", "\u3000\u2003", "\u200b\u200f\ufeff", "\ud83e", "\0", None, 7, ["a cat"]]
)
def test_empty_prompt_is_refused(value: object) -> None:
    with pytest.raises(DemoError, match="the prompt is empty"):
        PROMPT.check(value, FAMILY)


def test_prompt_loses_only_the_white_space_around_it() -> None:
    assert PROMPT.check("  a cat,\n a dog ", FAMILY) == "a cat,\n a dog"


@pytest.mark.parametrize("filler", ["x", "語", "🦊"])
def test_longest_prompt_is_taken_and_one_character_more_is_not(filler: str) -> None:
    assert len(PROMPT.check(filler * LONGEST_PROMPT, FAMILY)) == LONGEST_PROMPT
    with pytest.raises(DemoError, match=r"^The prompt has 10,001 characters; the most is 10,000\.$"):
        PROMPT.check(filler * (LONGEST_PROMPT + 1), FAMILY)


@pytest.mark.parametrize("field", [SCALE, WIDTH])
def test_what_is_wrong_with_a_value_hides_no_other_error(field: Numeric) -> None:
    with pytest.raises(DemoError) as raised:
        field.check("x", FAMILY)
    assert raised.value.__suppress_context__


@pytest.mark.parametrize("value", ["no", "", 0, 1, None, []])
def test_only_true_and_false_are_yes_and_no(value: object) -> None:
    with pytest.raises(DemoError, match=r"^Sharp must be true or false\.$"):
        Flag("Sharp").check(value, FAMILY)
    assert Flag("Sharp").check(value=True, family=FAMILY) is True
