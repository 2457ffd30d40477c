"""Whether both of two things are drawn, side by side: each half of a picture is named for itself."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PIL import Image

from training.data.art import load_art
from training.data.composites import couples
from training.evaluation.classifier import Classifier
from training.evaluation.prompts import Wish
from training.evaluation.setups import SIZE
from training.folders import NODE_MODULES
from training.words import COLOURS, things_of

_SEED = 9300  # of placements that were not trained on
_NEAR = 40  # of 255: what differs less from the background in every channel is background
_SHARE = 0.77  # of the classifier's picture that a thing fills, as in most of what it learned on


def framed(half: Image.Image, colour: str) -> Image.Image:
    """What stands on the background `colour` in `half`, as large as the classifier knows things: SIZE x SIZE.

    All of `half` where nothing does.
    """
    drawn = (np.abs(np.asarray(half, np.int16) - np.asarray(COLOURS[colour], np.int16)) > _NEAR).any(-1)
    down, across = np.nonzero(drawn)
    thing = half
    if drawn.any():
        thing = half.crop((int(across.min()), int(down.min()), int(across.max()) + 1, int(down.max()) + 1))
    scale = _SHARE * SIZE / max(thing.size)
    thing = thing.resize((max(1, round(scale * thing.width)), max(1, round(scale * thing.height))))
    framed = Image.new("RGB", (SIZE, SIZE), COLOURS[colour])
    framed.paste(thing, ((SIZE - thing.width) // 2, (SIZE - thing.height) // 2))
    return framed


def named(classifier: Classifier, wishes: list[Wish], images: Iterable[Image.Image]) -> dict[str, float]:
    """The shares of square pictures that show both things wished for, and at least one, each in its half."""
    found = []
    for wish, image in zip(wishes, images, strict=True):
        middle = image.width // 2
        halves = [image.crop((left, 0, left + middle, image.height)) for left in (0, middle)]
        names = classifier.names([framed(half, wish.colour) for half in halves])
        found.append([name[0] == thing for name, thing in zip(names, things_of(wish.thing), strict=True)])
    return {"both": sum(map(all, found)) / len(found), "one": sum(map(any, found)) / len(found)}


def named_in_art(classifier: Classifier, count: int) -> dict[str, float]:
    """The same of the art itself: more than this none can reach."""
    made = couples(load_art(NODE_MODULES), _SEED, count)
    return named(classifier, [Wish(*one.names, seed=0) for one in made], [one.image for one in made])
