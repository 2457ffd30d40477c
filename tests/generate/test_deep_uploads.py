"""Uploaded pictures whose numbers are not bytes."""

from __future__ import annotations

import math
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.upload import open_picture, rgb
from tests.pngs import png_of_zeros

RED = (255, 0, 0)

WIDE = (256, 256, 3)
RAMP = np.linspace(0, 1, np.prod(WIDE)).reshape(WIDE)


def written(path: Path, values: np.ndarray[Any, Any]) -> Path:
    """By OpenCV: Pillow writes no colours of more than 8 bits."""
    assert cv2.imwrite(str(path), values)
    return path


@pytest.mark.parametrize("kind", ["png", "tiff"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_bits_that_a_file_leaves_unused_darken_nothing(tmp_path: Path, kind: str, bits: int, channels: int) -> None:
    values = (RAMP * (2**bits - 1)).round().astype(np.uint16)
    alpha = np.full_like(values[..., :1], 2**bits - 1)
    path = written(tmp_path / f"deep.{kind}", np.dstack([values, alpha])[..., :channels])
    opened = np.asarray(open_picture(path), float)[..., ::-1][..., : min(channels, 3)]
    assert np.abs(opened / 255 - RAMP[..., : min(channels, 3)]).max() < 0.005


@pytest.mark.parametrize("most", [1, 255, 1023, 65535, 2**31 - 1])
def test_whole_numbers_of_any_range_use_all_shades(most: int) -> None:
    values = np.array([[0, most]], np.int32)
    assert np.asarray(rgb(Image.fromarray(values)))[..., 0].tolist() == [[0, 255]]


@pytest.mark.parametrize(
    ("values", "shades"),
    [
        ([0, 0.5, 1], [0, 128, 255]),
        ([0, 0.25], [0, 64]),
        ([0, 0.5, 1, math.nan], [0, 128, 255, 0]),
        ([-1, 0.5, 1], [0, 191, 255]),
        ([0, 0.5, 1, math.inf], [0, 128, 255, 255]),
        ([math.nan, math.nan], [0, 0]),
        ([*[0.5] * 999, 40.0], [*[128] * 999, 255]),
        ([0, 254.5], [0, 255]),
    ],
)
def test_numbers_with_fractions_go_from_0_to_1(values: list[float], shades: list[int]) -> None:
    opened = np.asarray(rgb(Image.fromarray(np.array([values], np.float32))))[0, :, 0]
    assert np.abs(opened.astype(int) - shades).max() <= 2


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_big_endian_numbers_are_read(tmp_path: Path, kind: str) -> None:
    values = np.linspace(0, 4095, 256).astype(">u2").reshape(16, 16)
    image = Image.frombytes("I;16B", (16, 16), values.tobytes())
    assert np.array_equal(np.asarray(rgb(image))[..., 0].ravel(), np.arange(256))
    path = tmp_path / "big"
    image.save(path, format=kind)
    opened = open_picture(path)
    assert np.array_equal(np.asarray(opened)[..., 0].ravel(), np.arange(256))


def test_a_mask_of_zeros_and_ones_is_black_and_white() -> None:
    mask = np.array([[0, 1]], np.uint8)
    assert np.asarray(rgb(Image.fromarray(mask)))[..., 0].tolist() == [[0, 255]]


def test_deep_colours_are_turned_upright_too(tmp_path: Path) -> None:
    values = np.zeros((4, 6, 3), np.uint16)
    values[0, 0] = (0, 0, 4095)
    path = written(tmp_path / "deep.png", values)
    exif = Image.Exif()
    exif[0x0112] = 6
    chunk = b"eXIf" + exif.tobytes()[6:]
    content = path.read_bytes()
    length, check = (len(chunk) - 4).to_bytes(4, "big"), zlib.crc32(chunk).to_bytes(4, "big")
    path.write_bytes(content[:33] + length + chunk + check + content[33:])
    opened = open_picture(path)
    assert opened.size == (4, 6)
    assert opened.getpixel((3, 0)) == RED


def test_a_deep_picture_too_large_for_the_memory_it_takes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    path.write_bytes(png_of_zeros(8_000, 8_000, depth=16))
    with pytest.raises(DemoError, match=r"^The picture is too large: 8000 x 8000 pixels\.$"):
        open_picture(path)
