"""One setting of a request that takes several values in turn, as text: "1, 4", "0-1.5 (+0.5)", "0-1 [5]"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.fields import Choice, Field, Numeric, default_of, fields_of
from dmd2_demo.generate.request import Request, Seed, as_json
from dmd2_demo.generate.styled import StyleChoice
from dmd2_demo.models.family import Family

_LONGEST = 2_000
"""Letters of an axis' text."""

_NUMBER = r"\d{1,12}(?:\.\d{1,6})?"
# As in the X/Y/Z plot of Stable Diffusion WebUI.
_RANGE = re.compile(rf"({_NUMBER})\s*-\s*({_NUMBER})\s*(?:\(\s*\+\s*({_NUMBER})\s*\)|\[\s*(\d{{1,4}})\s*\])?")

Convert = Callable[[Any], Any]
"""Makes a field's value of what was written for it. DemoError where that can't be used."""


@dataclass(frozen=True)
class Axis:
    """`values` of the field `name`, checked and each once; `titles` are how they are written beside the pictures."""

    name: str
    values: tuple[Any, ...]
    titles: tuple[str, ...]


def axes_of(request: type[Request], family: Family) -> dict[str, Field]:
    """The fields that can be an axis, by name: the seed, choices of more than one, and numbers that have a slider."""
    return {name: field for name, field in fields_of(request).items() if field.kept and _varies(field, family)}


def suggested(request: type[Request], name: str, family: Family, most: int) -> str:
    """Values of that field to begin with, as text, `most` at most: every choice, or numbers around the default."""
    field, default = fields_of(request)[name], default_of(request, name, family)
    match field:
        case Choice() | StyleChoice():
            named = [str(value) for _, value in field.options(family) if value != ""]
            return ", ".join(named[: min(most, 8)])
        case Numeric():
            allowed = field.range_of(family)
            tried = (round(default * part / 2 / allowed.step) * allowed.step for part in range(5))
            shown = dict.fromkeys(f"{min(max(one, allowed.least), allowed.most):g}" for one in tried)
            return ", ".join(list(shown)[:most])
    return "1-4"


def read(request: type[Request], name: object, text: object, family: Family, most: int, convert: Convert) -> Axis:
    """The axis that somebody wrote. DemoError where the field is none, or a value can't be used.

    No more than `most` values are made, whatever is written.
    """
    known = axes_of(request, family)
    if not isinstance(name, str) or name not in known:
        raise DemoError(f"{name!r:.60} is nothing that a sheet can vary here. Choose one of: {', '.join(known)}.")
    field = known[name]
    pieces = [piece.strip() for piece in text.split(",")] if isinstance(text, str) and len(text) <= _LONGEST else []
    written = [value for piece in pieces if piece for value in _listed(piece, most)]
    if not written:
        raise DemoError(f"Write values for {field.label}, with commas between them.")
    if len(written) > most:
        raise DemoError(f"{field.label} has {len(written)} values; a sheet has {most} cells at the most.")
    values = dict.fromkeys(field.check(convert(value), family) for value in written)
    return Axis(name, tuple(values), tuple(title(field, value, family) for value in values))


def title(field: Field, value: object, family: Family) -> str:
    """How a value of that field is written beside a picture."""
    value = as_json(value)
    if isinstance(field, Choice | StyleChoice):
        value = next((title for title, name in field.options(family) if name == value), value)
    return f"{field.label} {value:g}" if isinstance(value, float) else f"{field.label} {value}"


def _varies(field: Field, family: Family) -> bool:
    if isinstance(field, Choice | StyleChoice):
        return len(field.options(family)) > 1
    return isinstance(field, Seed) or (isinstance(field, Numeric) and field.slider and not field.resizes)


def _listed(piece: str, most: int) -> Iterator[str]:
    """The values of a piece between commas."""
    found = _RANGE.fullmatch(piece)
    if found is None:
        yield piece
        return
    first, last = Decimal(found[1]), Decimal(found[2])
    if (found[3] and not Decimal(found[3])) or (found[4] and not int(found[4])):
        raise DemoError(f"{piece!r:.60} means no values: its step or count must be above 0.")
    step = Decimal(found[3] or 1)
    if found[4]:
        step = abs(last - first) / max(int(found[4]) - 1, 1)
    count = int(found[4] or abs(last - first) // step + 1)
    if count > most:
        raise DemoError(f"{piece!r:.60} means {count} values; a sheet has {most} cells at the most.")
    for number in range(count):
        value = first + number * (step if last >= first else -step)
        yield f"{round(value, 6).normalize():f}"
