"""Art on plain backgrounds: the pictures that every stage trains on."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from training.art import Art
from training.words import COLOURS

# (width, height) and how often it is drawn. All have about 128 x 128 pixels and are multiples of 16.
BUCKETS: dict[tuple[int, int], float] = {
    (128, 128): 0.70,
    (144, 112): 0.08,
    (112, 144): 0.08,
    (160, 96): 0.05,
    (96, 160): 0.05,
    (256, 64): 0.02,
    (64, 256): 0.02,
}


@dataclass(frozen=True)
class Composite:
    """A picture and what it shows. `image` is RGB."""

    thing: str
    style: str
    colour: str
    image: Image.Image


def composite(rng: random.Random, art: Art, colour: str, size: tuple[int, int]) -> Composite:
    """`art` somewhere near the middle of a plain background of `size` (width, height)."""
    width, height = size
    short = min(size)
    side = round(short * rng.uniform(0.78, 0.92))
    image = Image.new("RGB", size, COLOURS[colour])
    # PIL premultiplies while it resizes; doing so here as well would leave a dotted fringe.
    drawn = art.image.resize((side, side), Image.Resampling.LANCZOS)
    slack = (width - side, height - side)
    left, top = (round(space / 2 + rng.uniform(-0.3, 0.3) * min(space, short - side)) for space in slack)
    image.paste(drawn, (left, top), drawn)
    return Composite(art.thing, art.style, colour, image)


def composites(arts: list[Art], seed: int, times: int, size: tuple[int, int] = (128, 128)) -> list[Composite]:
    """Every art on every colour, `times` times, each placed anew."""
    rng = random.Random(seed)
    return [composite(rng, art, colour, size) for _ in range(times) for art in arts for colour in COLOURS]


def to_tensor(images: list[Image.Image]) -> torch.Tensor:
    """(n, 3, height, width), uint8, for pictures of one size."""
    return torch.from_numpy(np.stack([np.asarray(image) for image in images])).permute(0, 3, 1, 2).contiguous()


def to_unit(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 pixels as the VAE sees them: float32 in -1..1."""
    return pixels.float() / 127.5 - 1
