"""Combinations of thing, style and colour that no stage trains on, so that figures tell what was learnt from the rest.

Only the classifier, which measures, sees them.
"""

from __future__ import annotations

import random
from functools import cache

from training.words import COLOURS, STYLES, THINGS

_OF_EACH = 2  # of a thing's 30, hence 6.7 % of all
Names = tuple[str, str, str]


@cache
def held_out() -> frozenset[Names]:
    """Thing, style and colour of each. New things do not change those of the others."""
    ways = [(style, colour) for style in STYLES for colour in COLOURS]
    return frozenset(
        (thing, *way) for thing in THINGS for way in random.Random(f"{thing}, held out").sample(ways, _OF_EACH)
    )
