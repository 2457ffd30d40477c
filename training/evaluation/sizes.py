"""Draws twenty pictures of each of the widest and tallest size, to be looked at: is each one good thing?

python -m training.evaluation.sizes    writes training/work/sizes-*.png and prints what was asked for, row by row
"""

from __future__ import annotations

import random

from training.evaluation.grid import grid
from training.evaluation.prompts import FULL, Wish, wishes
from training.evaluation.setups import FOUR, ONE, draw
from training.folders import WORK
from training.loop.run import arguments

SIZES = ((256, 64), (64, 256))  # width, height
_PICTURES = 20
_ACROSS = 1280  # pixels of a row


def some_wishes() -> list[Wish]:
    """The same ones every time."""
    return random.Random(2).sample(wishes(1000), _PICTURES)


def main() -> None:
    """One sheet a size and UNet."""
    arguments(__doc__, steps=0)
    WORK.mkdir(parents=True, exist_ok=True)
    chosen = some_wishes()
    prompts, seeds = [wish.prompt(FULL) for wish in chosen], [wish.seed for wish in chosen]
    for setup, name in ((FOUR, "4step"), (ONE, "1step")):
        for size in SIZES:
            width, height = size
            path = WORK / f"sizes-{name}-{width}x{height}.png"
            grid(list(draw(setup, prompts, seeds, size)), _ACROSS // width, gap=4).save(path)
            print(path.name)
    print("\n".join(prompts))


if __name__ == "__main__":
    main()
