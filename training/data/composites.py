"""Art on plain backgrounds: the pictures that every stage trains on."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from training.data.art import Art
from training.words import COLOURS

# (width, height) and how often it is drawn. All have about 128 x 128 pixels and are multiples of 16.
BUCKETS: dict[tuple[int, int], float] = {
    (128, 128): 0.62,
    (144, 112): 0.08,
    (112, 144): 0.08,
    (160, 96): 0.05,
    (96, 160): 0.05,
    # With 0.02 each the 4-step UNet left two of forty such pictures blank.
    (256, 64): 0.06,
    (64, 256): 0.06,
}


@dataclass(frozen=True)
class Composite:
    """A picture and what it shows. `image` is RGB."""

    thing: str
    style: str
    colour: str
    image: Image.Image

    @property
    def names(self) -> tuple[str, str, str]:
        """Thing, style, colour."""
        return self.thing, self.style, self.colour


Placing = Callable[[random.Random, Art, str, tuple[int, int]], Composite]


def near_the_middle(rng: random.Random, art: Art, colour: str, size: tuple[int, int]) -> Composite:
    """`art`, large, near the middle of a plain background of `size` (width, height): the easier lesson."""
    width, height = size
    short = min(size)
    side = round(short * rng.uniform(0.78, 0.92))
    slack = (width - side, height - side)
    left, top = (round(space / 2 + rng.uniform(-0.3, 0.3) * min(space, short - side)) for space in slack)
    return _placed(art, colour, size, side, (left, top))


def anywhere(rng: random.Random, art: Art, colour: str, size: tuple[int, int]) -> Composite:
    """`art`, all of it, anywhere on a plain background of `size` (width, height), 60 to 94 % of its short side."""
    side = round(min(size) * rng.uniform(0.60, 0.94))
    left, top = (rng.randint(0, space - side) for space in size)
    return _placed(art, colour, size, side, (left, top))


def _placed(art: Art, colour: str, size: tuple[int, int], side: int, corner: tuple[int, int]) -> Composite:
    image = Image.new("RGB", size, COLOURS[colour])
    # PIL premultiplies while it resizes; doing so here as well would leave a dotted fringe.
    drawn = art.image.resize((side, side), Image.Resampling.LANCZOS)
    image.paste(drawn, corner, drawn)
    return Composite(art.thing, art.style, colour, image)


def composites(
    arts: list[Art], seed: int, times: int, size: tuple[int, int] = (128, 128), place: Placing = anywhere
) -> list[Composite]:
    """Every art on every colour, `times` times, each placed anew."""
    rng = random.Random(seed)
    return [place(rng, art, colour, size) for _ in range(times) for art in arts for colour in COLOURS]


def to_tensor(images: list[Image.Image]) -> torch.Tensor:
    """(n, 3, height, width), uint8, for pictures of one size."""
    return torch.from_numpy(np.stack([np.asarray(image) for image in images])).permute(0, 3, 1, 2).contiguous()


def to_unit(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 pixels as the VAE sees them: float32 in -1..1."""
    return pixels.float() / 127.5 - 1
