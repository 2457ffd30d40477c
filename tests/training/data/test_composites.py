"""Where things are placed."""

from __future__ import annotations

import random

import numpy as np
import pytest
from PIL import Image

from training.data.art import Art
from training.data.composites import BUCKETS, Composite, anywhere, near_the_middle
from training.words import COLOURS

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


def test_near_the_middle_is_large_and_near_the_middle() -> None:
    rng = random.Random(0)
    for _ in range(100):
        left, top, right, bottom = box(near_the_middle(rng, DISC, "black", (128, 128)))
        assert 99 <= right - left <= 118
        assert abs((left + right) / 2 - 64) <= 10
        assert abs((top + bottom) / 2 - 64) <= 10
