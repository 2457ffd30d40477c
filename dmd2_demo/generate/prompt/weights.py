r"""Weights in Stable Diffusion WebUI's syntax: `(word:1.2)`, `((word))`, `[word]`, `\(` for a bracket, `BREAK`.

diffusion-prompt-embedder reads the same, but imports torch, takes seconds for thousands of brackets, fails at
`(a:1.2.3)` and loses a BREAK between brackets. Tests compare the two.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

LEAST, MOST = 0.5, 1.5
"""What weights are bounded to: beyond, pictures fall apart."""

_BRACKET = math.log(1.1)

# A backslash before anything else is text. Numbers are matched in one way only, so that no text takes long.
_PIECES = re.compile(
    r"""\\(?P<escaped>[\\()\[\]{}|])
    | (?P<bracket>[(\[\])])
    | :\s*(?P<weight>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))\s*\)
    | (?P<text>[^\\()\[\]:]+|[\\:])""",
    re.VERBOSE,
)
_BREAK = re.compile(r"\bBREAK\b")


class Weighted(NamedTuple):
    """A piece of text and how much it counts; 1 is as it is."""

    text: str
    weight: float = 1.0


Section = tuple[Weighted, ...]
"""Text up to a BREAK or the end. Pieces that follow each other have different weights."""


def read(prompt: str) -> tuple[Section, ...]:
    """The sections of a prompt: those with something in them, or one with an empty piece.

    Brackets that are never closed hold the rest, and closing ones that close nothing are text, as in WebUI.
    """
    found = _Reading()
    for match in _PIECES.finditer(prompt):
        found.take(match)
    return found.sections()


def is_plain(sections: Sequence[Section]) -> bool:
    """Whether nothing is weighed and nothing begins anew."""
    return len(sections) == 1 and all(piece.weight == 1 for piece in sections[0])


def words(prompt: str) -> str:
    """The text of a prompt without what weighs it."""
    return " ".join("".join(piece.text for piece in section) for section in read(prompt))


class _Reading:
    """A prompt as far as it is read. `weighing` says at which piece a weight's logarithm begins or ends to count."""

    def __init__(self) -> None:
        self._pieces: list[str | None] = []  # None is a BREAK
        self._weighing: list[float] = [0.0]
        self._open: dict[str, list[int]] = {"(": [], "[": []}

    def take(self, match: re.Match[str]) -> None:
        kind, piece = match.lastgroup, match[0]
        if kind == "weight" and self._open["("]:
            # Bounded, so that neither 0 nor a number of a thousand digits is in the way of those around it.
            self._weigh(self._open["("].pop(), math.log(min(max(float(match["weight"]), 1e-6), 1e6)))
        elif piece in self._open:
            self._open[piece].append(len(self._pieces))
        elif piece == ")" and self._open["("]:
            self._weigh(self._open["("].pop(), _BRACKET)
        elif piece == "]" and self._open["["]:
            self._weigh(self._open["["].pop(), -_BRACKET)
        elif kind == "text":
            first, *others = _BREAK.split(piece)
            self._add(first)
            for other in others:
                self._add(None)
                self._add(other)
        else:
            self._add(match["escaped"] or piece)

    def sections(self) -> tuple[Section, ...]:
        for bracket, logarithm in (("(", _BRACKET), ("[", -_BRACKET)):
            for start in self._open[bracket]:
                self._weigh(start, logarithm)
        sections: list[list[Weighted]] = [[]]
        total = 0.0
        for piece, change in zip(self._pieces, self._weighing[:-1], strict=True):
            total += change
            if piece is None:
                sections.append([])
            elif piece:
                sections[-1].append(Weighted(piece, _bounded(total)))
        merged = [_merged(section) for section in sections]
        said = tuple(section for section in merged if any(piece.text.strip() for piece in section))
        return said or ((Weighted(""),),)

    def _add(self, piece: str | None) -> None:
        self._pieces.append(piece)
        self._weighing.append(0.0)

    def _weigh(self, start: int, logarithm: float) -> None:
        """What was read since piece number `start`."""
        self._weighing[start] += logarithm
        self._weighing[-1] -= logarithm


def _bounded(logarithm: float) -> float:
    # Sums of logarithms end a hair beside what they should: exactly 1 where all brackets are closed again.
    return round(math.exp(min(max(logarithm, math.log(LEAST)), math.log(MOST))), 6)


def _merged(pieces: list[Weighted]) -> Section:
    runs = groupby(pieces, key=lambda piece: piece.weight)
    return tuple(Weighted("".join(piece.text for piece in run), weight) for weight, run in runs)
