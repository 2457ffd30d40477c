"""What no stage trains on, so that figures tell what was learnt from the rest. Only the classifier sees it.

Of each thing two of the thirty ways that it can look, whatever stands beside it; and pairs of things, whichever comes
first and however they look.
"""

from __future__ import annotations

import random
from functools import cache

from training.words import COLOURS, STYLES, THINGS, things_of

_OF_EACH = 2  # of a thing's 30, hence 6.7 % of all
_COUPLES = 0.05
Names = tuple[str, str, str]


@cache
def held_out() -> frozenset[Names]:
    """Thing, style and colour of each. New things do not change those of the others."""
    ways = [(style, colour) for style in STYLES for colour in COLOURS]
    return frozenset(
        (thing, *way) for thing in THINGS for way in random.Random(f"{thing}, held out").sample(ways, _OF_EACH)
    )


@cache
def held_out_couple(one: str, other: str) -> bool:
    """Whether these two things are never shown together."""
    return random.Random(f"{' and '.join(sorted((one, other)))}, held out").random() < _COUPLES


def is_held_out(names: Names) -> bool:
    """Whether no stage trains on a picture of these, a thing or two."""
    things, style, colour = things_of(names[0]), *names[1:]
    apart = any((thing, style, colour) in held_out() for thing in things)
    return apart or (len(things) == 2 and held_out_couple(*things))
