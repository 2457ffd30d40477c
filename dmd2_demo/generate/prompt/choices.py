"""Choices in braces: `a {cat|dog}` stands for two prompts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dmd2_demo.errors import DemoError

_PIECES = re.compile(r"\\.|[{|}]|[^\\{|}]+|\\", re.DOTALL)


def expanded(template: str, most: int) -> tuple[str, ...]:
    """The prompts that `template` stands for, in order: of several choices the last changes first.

    Braces that are no pair, or hold no bar of their own, are text, and so is what follows a backslash. Escapes stay as
    they are: each prompt stands for itself alone. DemoError where there are more than `most`.
    """
    pieces = _PIECES.findall(template)
    choosing = _choosing(pieces)
    # For each pair that is open: what its options before this one stand for, and this one as far as it is read.
    outer: list[tuple[list[str], list[str]]] = []
    options: list[str] = []
    texts = [""]
    for number, piece in enumerate(pieces):
        if number not in choosing:
            texts = [text + piece for text in texts]
        elif piece == "{":
            outer.append((options, texts))
            options, texts = [], [""]
        elif piece == "|":
            options, texts = options + texts, [""]
        else:
            inner = options + texts
            options, before = outer.pop()
            _require_few(len(before) * len(inner), most)
            texts = [text + option for text in before for option in inner]
        _require_few(len(options) + len(texts), most)
    return tuple(texts)


def _choosing(pieces: Sequence[str]) -> set[int]:
    """The places of the braces and bars that make choices."""
    found = set[int]()
    pairs: list[list[int]] = []  # of each open one, its brace and its bars
    for number, piece in enumerate(pieces):
        if piece == "{":
            pairs.append([number])
        elif piece == "|" and pairs:
            pairs[-1].append(number)
        elif piece == "}" and pairs:
            pair = pairs.pop()
            if len(pair) > 1:
                found.update((*pair, number))
    return found


def _require_few(count: int, most: int) -> None:
    if count > most:
        raise DemoError(f"The choices in braces make more than {most} prompts. Take fewer, or fewer pictures of each.")
