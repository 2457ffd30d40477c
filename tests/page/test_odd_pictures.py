"""Edge maps and pictures as other programs write them, on the page: drawn by, or told about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.raw_visitor import RawVisitor

SIZE = (256, 256)
TURNED = "The edge map was dark on light, so it was turned over: an adapter takes white lines on black."
EMPTY = "There are hardly any edges to follow, so the prompt alone decides."
FULL = "The edge map is full of white: there are hardly any lines to follow in it."


@pytest.fixture(scope="module")
def visitor(address: str) -> Iterator[RawVisitor]:
    with RawVisitor(address) as visitor:
        yield visitor


def disc(line: str, ground: str | tuple[int, ...], mode: str = "RGB") -> Image.Image:
    image = Image.new(mode, SIZE, ground)
    ImageDraw.Draw(image).circle((128, 128), 80, outline=line, width=4)
    return image


def deep(most: float, kind: type) -> np.ndarray:
    """A light disc on a dark ground, its white at `most`."""
    grey = np.asarray(disc("white", "black").convert("L"), float) / 255
    return (grey * most).astype(kind)


MAPS: dict[str, tuple[Image.Image, list[str]]] = {
    "white on black": (disc("white", "black"), []),
    "black on white": (disc("black", "white"), [TURNED]),
    "black on transparency": (disc("black", (0, 0, 0, 0), "RGBA"), [TURNED]),
    "white on transparency": (disc("white", (0, 0, 0, 0), "RGBA"), []),
    "white on white transparency": (disc("white", (255, 255, 255, 0), "RGBA"), []),
    "all black": (Image.new("RGB", SIZE), [EMPTY]),
    "all white": (Image.new("RGB", SIZE, "white"), [TURNED, EMPTY]),
    "all transparent": (Image.new("RGBA", SIZE), [TURNED, EMPTY]),
    "all grey": (Image.new("RGB", SIZE, "grey"), [TURNED, EMPTY]),
    "dark grey": (Image.new("RGB", SIZE, (100, 100, 100)), [FULL]),
}


@pytest.mark.parametrize("name", MAPS)
def test_an_edge_map_of_any_kind_guides_or_is_told_about(visitor: RawVisitor, tmp_path: Path, name: str) -> None:
    image, told = MAPS[name]
    path = tmp_path / "map.png"
    image.save(path)
    values = {"prompt": "a fox", "image": visitor.upload(path), "is_edge_map": True}
    data = visitor.ask("canny", **values).data
    assert data
    notices = data[2]["notices"]
    assert len(notices) == len(told)
    assert all(notice.startswith(start) for notice, start in zip(notices, told, strict=True))
    shown = visitor.send(visitor.event("preview"), [values["image"], 100, 200, True]).data
    assert shown
    assert shown[1]["visible"] == bool(told)
    if told != [TURNED, EMPTY] and told not in ([EMPTY], [FULL]):
        with Image.open(shown[0]["path"]) as edges:
            assert 0.02 < np.mean(np.asarray(edges.convert("L")) > 128) < 0.2


WRITTEN: dict[str, Callable[[Path], object]] = {
    "10 bits.png": lambda path: cv2.imwrite(str(path), deep(1023, np.uint16)),
    "12 bits.tiff": lambda path: cv2.imwrite(str(path), deep(4095, np.uint16)),
    "colours of 12 bits.png": lambda path: cv2.imwrite(str(path), np.dstack([deep(4095, np.uint16)] * 3)),
    "colours of 10 bits.tiff": lambda path: cv2.imwrite(str(path), np.dstack([deep(1023, np.uint16)] * 3)),
    "floats.tiff": lambda path: cv2.imwrite(str(path), deep(1, np.float32)),
    "mask.png": lambda path: cv2.imwrite(str(path), deep(1, np.uint8)),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_edges_are_found_in_numbers_of_any_range(visitor: RawVisitor, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert WRITTEN[name](path)
    data = visitor.ask("canny", prompt="a fox", image=visitor.upload(path)).data
    assert data
    assert data[2]["notices"] == []
