"""What a request's fields are: a label, what is allowed, and the check that gives a clean value or a sentence.

A field is written once, in its request class: `steps: Annotated[int, Steps("Steps")] = 4`. Bounds, the component on the
page, the endpoint's parameter and its default, and what a picture carries all follow from that line.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast, get_type_hints

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.clean_text import cleaned, is_blank
from dmd2_demo.models.family import Family

T = TypeVar("T")

LONGEST_PROMPT = 10_000


@dataclass(frozen=True)
class Range:
    """Numbers from `least` to `most`, both included, in steps of `step`."""

    least: float
    most: float
    step: float = 1


@dataclass(frozen=True)
class Field(ABC):
    """`label` names it to visitors; `hint` says more where that helps. A picture carries what is `kept`."""

    label: str
    hint: str = ""
    kept: bool = True

    @abstractmethod
    def check(self, value: object, family: Family) -> Any:
        """A clean value. DemoError, in one sentence, where that one can't be used."""


@dataclass(frozen=True)
class Prompt(Field):
    """Text with something to see in it; white space around it does not count, and what nobody sees is dropped."""

    def check(self, value: object, family: Family) -> str:  # noqa: ARG002 - the same for all
        text = value.strip() if isinstance(value, str) else ""
        if len(text) > LONGEST_PROMPT:
            raise DemoError(f"The prompt has {len(text):,} characters; the most is {LONGEST_PROMPT:,}.")
        text = cleaned(text)
        if is_blank(text):
            raise DemoError("Write what you would like to see: the prompt is empty.")
        return text


@dataclass(frozen=True)
class Numeric(Field):
    """A number. `range` is what the family allows, or the same for every family; a `slider` shows where in it.

    One that `resizes` the picture can't be varied on a contact sheet, whose cells have one size.
    """

    range: Range | Callable[[Family], Range] = Range(0, 1)
    slider: bool = True
    resizes: bool = False

    def range_of(self, family: Family) -> Range:
        """What that family allows."""
        return self.range if isinstance(self.range, Range) else self.range(family)


@dataclass(frozen=True)
class Number(Numeric):
    """A finite number; its range's step is the slider's, and others are allowed."""

    def check(self, value: object, family: Family) -> float:
        return _number(self.label, value, self.range_of(family))


@dataclass(frozen=True)
class Whole(Numeric):
    """A whole number, a multiple of its range's step."""

    def check(self, value: object, family: Family) -> int:
        allowed = self.range_of(family)
        step = int(allowed.step)
        kind = "whole number" if step == 1 else f"multiple of {step}"
        sentence = f"{self.label} must be a {kind} from {allowed.least:g} to {allowed.most:.15g}."
        try:
            checked = _number(self.label, value, allowed)
        except DemoError:
            raise DemoError(sentence) from None
        if checked % step:
            raise DemoError(sentence)
        return int(checked)


@dataclass(frozen=True)
class Flag(Field):
    """Yes or no."""

    def check(self, value: object, family: Family) -> bool:  # noqa: ARG002 - the same for all
        if not isinstance(value, bool):
            raise DemoError(f"{self.label} must be true or false.")
        return value


@dataclass(frozen=True)
class Choice(Field):
    """One of what the family has: `options` gives (title, value) for each, `find` the value that is meant by another.

    `find` raises DemoError where nothing is. Different choices may need different parts.
    """

    options: Callable[[Family], list[tuple[str, Any]]] = lambda _: []
    find: Callable[[Family, object], Any] = lambda _, value: value

    def check(self, value: object, family: Family) -> Any:
        return self.find(family, value)


@dataclass(frozen=True)
class Option(Field):
    """One of a few that are the same for every family and need no parts: `options` gives (title, value) for each."""

    kept: bool = False
    options: tuple[tuple[str, str], ...] = ()

    def check(self, value: object, family: Family) -> str:  # noqa: ARG002 - the same for all
        known = [name for _, name in self.options]
        if value not in known:
            raise DemoError(f"{self.label} must be one of: {', '.join(known)}.")
        return str(value)


@dataclass(frozen=True)
class Given(Field):
    """Something that was checked where it came from, such as an opened picture; `blank` makes one that asks nothing."""

    kept: bool = False
    blank: Callable[[], Any] = lambda: None

    def check(self, value: object, family: Family) -> Any:  # noqa: ARG002 - checked already
        return value


@dataclass(frozen=True)
class FamilyDefault:
    """A default that is the family's own."""

    of: Callable[[Family], Any]


def by_family(of: Callable[[Family], T]) -> T:
    """As a field's default: what `of` gives for the family that is asked."""
    return cast("T", FamilyDefault(of))


@cache
def fields_of(request: type) -> dict[str, Field]:
    """The fields of a request class by name, in the order they are written in."""
    hints = get_type_hints(request, include_extras=True)
    found = {name: getattr(hint, "__metadata__", (None,))[0] for name, hint in hints.items()}
    return {name: field for name, field in found.items() if isinstance(field, Field)}


def default_of(request: type, name: str, family: Family) -> Any:
    """What a field is where nobody says; None where somebody must."""
    default = getattr(request, name, None)
    return default.of(family) if isinstance(default, FamilyDefault) else default


def _number(label: str, value: object, allowed: Range) -> float:
    try:
        checked = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise DemoError(f"{label} must be a number.") from None
    except OverflowError:  # A whole number of hundreds of digits.
        checked = math.inf
    if isinstance(value, bool) or math.isnan(checked) or not allowed.least <= checked <= allowed.most:
        raise DemoError(f"{label} must be between {allowed.least:g} and {allowed.most:g}.")
    return checked
