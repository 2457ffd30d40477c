"""Art on plain backgrounds: the pictures that every stage trains on."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np
import torch
from PIL import Image

from training.data.art import Art
from training.words import COLOURS, STYLES, couple

# (width, height) and how often it is drawn. All have about 128 x 128 pixels and are multiples of 16.
BUCKETS: dict[tuple[int, int], float] = {
    (128, 128): 0.62,
    (144, 112): 0.08,
    (112, 144): 0.08,
    (160, 96): 0.05,
    (96, 160): 0.05,
    # Drawn more rarely, the 4-step UNet left some of them blank.
    (256, 64): 0.06,
    (64, 256): 0.06,
}


def is_wide(size: tuple[int, int]) -> bool:
    """Whether it is one of the widest and tallest sizes, where a thing may be at many places."""
    return max(size) > 2 * min(size)


@dataclass(frozen=True)
class Composite:
    """A picture and what it shows, one thing or two. `image` is RGB."""

    thing: str
    style: str
    colour: str
    image: Image.Image

    @property
    def names(self) -> tuple[str, str, str]:
        """Thing, style, colour."""
        return self.thing, self.style, self.colour


def anywhere(rng: random.Random, art: Art, colour: str, size: tuple[int, int]) -> Composite:
    """`art`, all of it, anywhere on a plain background of `size` (width, height), 60 to 94 % of its short side."""
    image = Image.new("RGB", size, COLOURS[colour])
    side = round(min(size) * rng.uniform(0.60, 0.94))
    left, top = (rng.randint(0, space - side) for space in size)
    paste(image, art, side, (left, top))
    return Composite(art.thing, art.style, colour, image)


def side_by_side(rng: random.Random, pair: tuple[Art, Art], colour: str, size: tuple[int, int]) -> Composite:
    """A pair of one style, each anywhere in its half of a plain background of `size` (width, height).

    The first is on the left; above, where a picture is taller than wide.
    """
    image = Image.new("RGB", size, COLOURS[colour])
    along = int(size[1] > size[0])
    half = list(size)
    half[along] //= 2
    for place, art in enumerate(pair):
        side = round(min(half) * rng.uniform(0.78, 1.0))
        corner = [rng.randint(0, space - side) for space in half]
        corner[along] += place * half[along]
        paste(image, art, side, (corner[0], corner[1]))
    return Composite(couple(pair[0].thing, pair[1].thing), pair[0].style, colour, image)


def paste(image: Image.Image, art: Art, side: int, corner: tuple[int, int]) -> None:
    """Draws `art` into `image`, `side` pixels large, its upper left at `corner`."""
    # PIL premultiplies while it resizes; doing so here as well would leave a dotted fringe.
    drawn = art.image.resize((side, side), Image.Resampling.LANCZOS)
    image.paste(drawn, corner, drawn)


def composites(arts: list[Art], seed: int, times: int, size: tuple[int, int] = (128, 128)) -> list[Composite]:
    """Every art on every colour, `times` times, each placed anew."""
    rng = random.Random(seed)
    return [anywhere(rng, art, colour, size) for _ in range(times) for art in arts for colour in COLOURS]


def couples(arts: list[Art], seed: int, count: int, size: tuple[int, int] = (128, 128)) -> list[Composite]:
    """`count` pictures of two different things in one style, each style and colour as often as the others."""
    rng = random.Random(seed)
    ways = [(style, colour) for style in STYLES for colour in COLOURS]
    made = []
    for style, colour in islice(cycle(ways), count):
        one, other = rng.sample([art for art in arts if art.style == style], 2)
        made.append(side_by_side(rng, (one, other), colour, size))
    return made


def to_tensor(images: list[Image.Image]) -> torch.Tensor:
    """(n, 3, height, width), uint8, for pictures of one size."""
    return torch.from_numpy(np.stack([np.asarray(image) for image in images])).permute(0, 3, 1, 2).contiguous()


def to_unit(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 pixels as the VAE sees them: float32 in -1..1."""
    return pixels.float() / 127.5 - 1


def to_bytes(pixels: torch.Tensor) -> torch.Tensor:
    """The opposite: uint8 from -1..1."""
    return ((pixels + 1) * 127.5).round().to(torch.uint8)
