"""Where things are placed."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from training.data.art import Art
from training.data.composites import BUCKETS, Composite, anywhere, couples, side_by_side
from training.words import COLOURS, STYLES

DISC = Art("tomato", "noto", Image.new("RGBA", (40, 40), "white"))


def box(made: Composite) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is not background."""
    drawn = (np.asarray(made.image) != COLOURS[made.colour]).any(-1)
    down, across = np.nonzero(drawn)
    return int(across.min()), int(down.min()), int(across.max()) + 1, int(down.max()) + 1


@pytest.mark.parametrize("size", BUCKETS)
def test_anywhere_cuts_nothing_off_and_reaches_every_side(size: tuple[int, int]) -> None:
    rng = random.Random(0)
    boxes = [box(anywhere(rng, DISC, "black", size)) for _ in range(300)]
    short = min(size)
    for left, top, right, bottom in boxes:
        assert right - left == bottom - top
        assert 0.59 * short <= right - left <= 0.95 * short
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    assert min(lefts) <= 2
    assert min(tops) <= 2
    assert max(rights) >= size[0] - 2
    assert max(bottoms) >= size[1] - 2


@pytest.mark.parametrize("size", BUCKETS)
def test_two_things_each_have_their_half(size: tuple[int, int]) -> None:
    rng = random.Random(0)
    dot = replace(DISC, thing="owl", image=Image.new("RGBA", (40, 40), "red"))
    along = int(size[1] > size[0])
    for _ in range(100):
        made = side_by_side(rng, (DISC, dot), "black", size)
        assert made.names == ("tomato and a owl", "noto", "black")
        pixels = np.asarray(made.image)
        first, second = np.split(pixels, 2, axis=1 - along)
        assert (first == 255).all(-1).any()
        assert not (second == 255).all(-1).any()
        assert (second == (255, 0, 0)).all(-1).any()


def test_couples_are_of_one_style_and_of_all_ways_alike() -> None:
    arts = [replace(DISC, thing=thing, style=style) for thing in ("tomato", "owl", "cat") for style in STYLES]
    made = couples(arts, seed=0, count=60)
    counts = Counter((one.style, one.colour) for one in made)
    assert set(counts.values()) == {2}
    assert len(counts) == len(STYLES) * len(COLOURS)
