"""Two things side by side, named one by one."""

from __future__ import annotations

import numpy as np
from PIL import Image

from training.evaluation.couples import framed, named
from training.evaluation.prompts import Wish
from training.words import COLOURS, couple


class BySize:
    """Calls what is red a cat and what is white a dog."""

    def names(self, images: list[Image.Image]) -> list[tuple[str, str, str]]:
        return [("cat" if np.asarray(image)[64, 64, 1] == 0 else "dog", "", "") for image in images]


def drawn(left: str, right: str) -> Image.Image:
    image = Image.new("RGB", (128, 128), COLOURS["black"])
    image.paste(left, (10, 50, 40, 80))
    image.paste(right, (70, 20, 120, 70))
    return image


def test_each_thing_counts_in_its_own_half() -> None:
    wish = Wish(couple("cat", "dog"), "noto", "black", 0)
    pictures = [drawn("red", "white"), drawn("white", "red"), drawn("red", "red"), drawn("red", "white")]
    assert named(BySize(), [wish] * 4, pictures) == {"both": 0.5, "one": 0.75}  # type: ignore[arg-type]


def test_a_thing_is_framed_as_the_classifier_knows_it() -> None:
    half = drawn("red", "white").crop((0, 0, 64, 128))
    red = np.asarray(framed(half, "black"))[..., 0] > 200
    assert red.any(0).sum() == red.any(1).sum() == 99
    empty = Image.new("RGB", (64, 128), COLOURS["black"])
    assert (np.asarray(framed(empty, "black")) == COLOURS["black"]).all()
