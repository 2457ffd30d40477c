"""How much a few-step model answers to weights in its prompt, and what it costs the rest of the picture.

python -m bench.prompt_weights [--seeds 2]

"a fox on a (red:1.5) blue background" asks for two colours at once. The answer, by weight, is how far the background's
corners lie on the way from the other colour's picture, 0, to the weighted colour's own, 1. Beside it stands how much
the pixels change from the picture at weight 1, of 255. Of three ways to apply a weight the first is the page's.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable
from functools import cache
from statistics import mean

import numpy as np
import torch
from numpy.typing import NDArray

from dmd2_demo.generate.prompt import embedding
from dmd2_demo.generate.requests import TextToImage
from dmd2_demo.generate.runtime import build_runtime
from dmd2_demo.generate.studio import Studio
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.progress import silent
from dmd2_demo.settings import Settings

WEIGHTS = (0.5, 0.75, 1.0, 1.25, 1.5)
COLOURS = (("red", "blue"), ("yellow", "purple"), ("green", "pink"))
THINGS = ("fox", "rocket")
CORNER = 12  # pixels

Pixels = NDArray[np.float64]
Method = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def multiplied(hidden: torch.Tensor, _: torch.Tensor, each: torch.Tensor) -> torch.Tensor:
    """WebUI's "No norm"."""
    return hidden * each[..., None].to(hidden.dtype)


def with_mean_restored(hidden: torch.Tensor, empty: torch.Tensor, each: torch.Tensor) -> torch.Tensor:
    """WebUI's "Original"."""
    changed = multiplied(hidden, empty, each)
    return changed * (hidden.mean() / changed.mean())


METHODS: dict[str, Method] = {
    "from the empty prompt": embedding.weighted,
    "multiplied": multiplied,
    "multiplied, mean restored": with_mean_restored,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    seeds = range(parser.parse_args().seeds)
    print("| weights are applied | steps | " + " | ".join(f"{weight:g}" for weight in WEIGHTS) + " |")
    print("|---" * (len(WEIGHTS) + 2) + "|")
    for steps, (name, method) in itertools.product((4, 1), METHODS.items()):
        picture.cache_clear()
        setattr(embedding, "weighted", method)  # noqa: B010 - a module's function
        studio = build_runtime(FAMILIES["embedded"], Settings(), has_gpu=False).studio  # which keeps what it embedded
        cells = [measured(studio, steps, weight, seeds) for weight in WEIGHTS]
        shown = [f"{share:.3f} ({change:.1f})" for share, change in cells]
        print(f"| {name} | {steps} | " + " | ".join(shown) + " |", flush=True)


def measured(studio: Studio, steps: int, weight: float, seeds: range) -> tuple[float, float]:
    """The mean share of the weighted colour, and the mean change of a pixel from weight 1."""
    shares, changes = [], []
    for pair, thing, seed, first in itertools.product(COLOURS, THINGS, seeds, (True, False)):
        named, other = pair if first else pair[::-1]

        def made(words: str, thing: str = thing, seed: int = seed) -> Pixels:
            return picture(studio, f"a {thing} on a {words} background", seed, steps)

        def both(weight: float, first: bool = first, pair: tuple[str, str] = pair) -> str:
            one, two = pair
            return f"({one}:{weight}) {two}" if first else f"{one} ({two}:{weight})"

        image = made(both(weight))
        start, end = corners(made(other)), corners(made(named))
        way = end - start
        shares.append(float(np.dot(corners(image) - start, way) / np.dot(way, way)))
        changes.append(float(np.abs(image - made(both(1))).mean()))
    return mean(shares), mean(changes)


@cache
def picture(studio: Studio, prompt: str, seed: int, steps: int) -> Pixels:
    """Its pixels, (height, width, 3), 0 to 255."""
    request = TextToImage(family=studio.family, prompt=prompt, seed=seed, steps=steps)
    [made] = studio.generate(request, silent, lambda: False)
    return np.asarray(made.image, np.float64)


def corners(image: Pixels) -> Pixels:
    """The mean colour of the four."""
    ends = (slice(CORNER), slice(-CORNER, None))
    means = [image[rows, columns].mean((0, 1)) for rows, columns in itertools.product(ends, ends)]
    return np.asarray(np.mean(means, axis=0), np.float64)


if __name__ == "__main__":
    main()
