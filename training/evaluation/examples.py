"""Writes the pictures that the canny tab offers as examples.

python -m training.evaluation.examples
"""

from __future__ import annotations

import random

from training.data.art import load_art
from training.data.composites import near_the_middle
from training.folders import FAMILY, NODE_MODULES

_PICTURES = (("rocket", "twemoji", (256, 256)), ("fox", "noto", (256, 256)), ("car", "noto", (320, 192)))


def main() -> None:
    """One PNG a thing, on white."""
    arts = {(art.thing, art.style): art for art in load_art(NODE_MODULES)}
    folder = FAMILY / "examples"
    folder.mkdir(exist_ok=True)
    for thing, style, size in _PICTURES:
        made = near_the_middle(random.Random(0), arts[thing, style], "white", size)
        made.image.save(folder / f"{thing}.png", optimize=True)


if __name__ == "__main__":
    main()
