"""JSON from strangers as any program can hold it, and how much of it there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dmd2_demo.generate.clean_text import whole


def clean_json(value: Any, deepest: int) -> Any:
    """`value` with whole text, and numbers of 64 bits. ValueError where it is nested deeper than that."""
    if deepest < 0:
        raise ValueError("nested too deep")
    match value:
        case str():
            return whole(value)
        case int() if not -(2**63) <= value < 2**63:
            return str(value) if abs(value) < 10**100 else "a very large number"
        case Mapping():
            return {whole(str(name)): clean_json(held, deepest - 1) for name, held in value.items()}
        case list():
            return [clean_json(held, deepest - 1) for held in value]
    return value


def letters_in(value: Any) -> int:
    """The letters of all the text in it."""
    letters, waiting = 0, [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                letters += len(text)
            case Mapping() as held:
                waiting.extend(held)
                waiting.extend(held.values())
            case list() as held:
                waiting.extend(held)
    return letters
