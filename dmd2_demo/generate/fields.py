"""A visitor's values, checked. Each function gives a clean value or raises DemoError with a sentence."""

from __future__ import annotations

import math

from dmd2_demo.errors import DemoError

LONGEST_PROMPT = 10_000


def number(name: str, value: object, least: float, most: float) -> float:
    """A finite number from `least` to `most`, both included."""
    try:
        checked = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise DemoError(f"{name} must be a number.") from None
    except OverflowError:  # A whole number of hundreds of digits.
        checked = math.inf
    if math.isnan(checked) or not least <= checked <= most:
        raise DemoError(f"{name} must be between {least:g} and {most:g}.")
    return checked


def whole(name: str, value: object, least: int, most: int, multiple_of: int = 1) -> int:
    """A whole number from `least` to `most`, both included."""
    kind = "whole number" if multiple_of == 1 else f"multiple of {multiple_of}"
    try:
        checked = number(name, value, least, most)
    except DemoError:
        raise DemoError(f"{name} must be a {kind} from {least} to {most}.") from None
    if checked % multiple_of:
        raise DemoError(f"{name} must be a {kind} from {least} to {most}.")
    return int(checked)


def prompt(value: object) -> str:
    """A prompt with something in it, without the white space around it."""
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        raise DemoError("Write what you would like to see: the prompt is empty.")
    if len(text) > LONGEST_PROMPT:
        raise DemoError(f"The prompt has {len(text):,} characters; the most is {LONGEST_PROMPT:,}.")
    return text
