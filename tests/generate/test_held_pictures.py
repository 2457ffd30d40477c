from __future__ import annotations

import pytest
from PIL import Image

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.held_pictures import HeldPictures


def large() -> Image.Image:
    return Image.new("RGB", (1000, 1000))


def test_pictures_are_counted_until_nobody_has_them() -> None:
    pictures = HeldPictures(most=10_000_000)
    for _ in range(100):
        assert pictures.held(large()).size == (1000, 1000)
    kept = [pictures.held(large()) for _ in range(2)]
    with pytest.raises(DemoError, match="Many large pictures are waiting"):
        pictures.held(large())
    assert pictures.held(Image.new("RGB", (100, 100)))
    del kept[0]
    assert pictures.held(large())


def test_one_that_hangs_on_itself_is_found() -> None:
    pictures = HeldPictures(most=10_000_000)
    for _ in range(10):
        image = pictures.held(large())
        image.info["self"] = image
    assert pictures.held(large())
