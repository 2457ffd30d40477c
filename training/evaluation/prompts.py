"""Prompts that training never used, word for word: other sentences from the words that it did."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import cycle, islice, permutations

from training.data.held_out import Names, held_out, held_out_couple
from training.words import COLOURS, STYLES, THINGS, article, couple

FULL = "a {thing} on {colour}, {style} style"
NO_STYLE = "a photo of a {thing} on {colour}"
_FIRST_SEED = 500_000
_HELD_OUT_SEED = 550_000
_COUPLE_SEED = 560_000


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
    """`count` different wishes of the combinations that are trained on, the same ones every time."""
    every = [names for names in _every() if names not in held_out()]
    return [Wish(*names, _FIRST_SEED + i) for i, names in enumerate(every[:count])]


def held_out_wishes(count: int) -> list[Wish]:
    """`count` wishes of the combinations that no stage trains on, each as often as the others, with its own seeds."""
    every = [names for names in _every() if names in held_out()]
    return [Wish(*names, _HELD_OUT_SEED + i) for i, names in enumerate(islice(cycle(every), count))]


def couple_wishes(count: int) -> list[Wish]:
    """`count` wishes of two things that no stage shows together, in ways that both are shown in alone."""
    rng = random.Random(2)
    pairs = [pair for pair in permutations(THINGS, 2) if held_out_couple(*pair)]
    made: list[Wish] = []
    while len(made) < count:
        pair, style, colour = rng.choice(pairs), rng.choice(STYLES), rng.choice(list(COLOURS))
        if not any((thing, style, colour) in held_out() for thing in pair):
            made.append(Wish(couple(*pair), style, colour, _COUPLE_SEED + len(made)))
    return made


def _every() -> list[Names]:
    every = [(thing, style, colour) for thing in THINGS for style in STYLES for colour in COLOURS]
    random.Random(1).shuffle(every)
    return every
