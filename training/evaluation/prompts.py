"""Prompts that training never used, word for word: other sentences from the words that it did."""

from __future__ import annotations

import random
from dataclasses import dataclass

from training.words import COLOURS, STYLES, THINGS, article

FULL = "a {thing} on {colour}, {style} style"
NO_STYLE = "a photo of a {thing} on {colour}"
_FIRST_SEED = 500_000


@dataclass(frozen=True)
class Wish:
    """What a picture should show, and the seed to draw it with."""

    thing: str
    style: str
    colour: str
    seed: int

    def prompt(self, template: str) -> str:
        """The wish in words."""
        return article(template.format(thing=self.thing, style=self.style, colour=self.colour))

    @property
    def names(self) -> tuple[str, str, str]:
        """Thing, style, colour."""
        return self.thing, self.style, self.colour


def wishes(count: int) -> list[Wish]:
    """`count` different wishes of the 1920, the same ones every time."""
    every = [(thing, style, colour) for thing in THINGS for style in STYLES for colour in COLOURS]
    random.Random(1).shuffle(every)
    return [Wish(*names, _FIRST_SEED + i) for i, names in enumerate(every[:count])]
