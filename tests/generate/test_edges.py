from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from dmd2_demo.generate.edges import canny_map, detector, ready_map
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.family import Sizes

EMBEDDED, SDXL = FAMILIES["embedded"].sizes, FAMILIES["sdxl"].sizes


def drawing(width: int, height: int) -> Image.Image:
    """A light disc on a dark ground, in the middle."""
    image = Image.new("RGB", (width, height), (40, 60, 80))
    radius = min(width, height) // 3
    ImageDraw.Draw(image).circle((width // 2, height // 2), radius, (230, 210, 60))
    return image


def test_the_detector_is_the_model_cards() -> None:
    assert (type(detector()).__module__, type(detector()).__name__) == ("controlnet_aux.canny", "CannyDetector")


@pytest.mark.parametrize("side", [512, 1024, 700])
def test_square_input_gives_the_model_cards_map(side: int) -> None:
    image = drawing(side, side)
    card = detector()(image, detect_resolution=384, image_resolution=1024)
    ours = canny_map(image, (1024, 1024), 100, 200, 384)
    assert np.array_equal(np.asarray(ours), np.asarray(card))


@pytest.mark.parametrize("sizes", [EMBEDDED, SDXL], ids=["embedded", "sdxl"])
@pytest.mark.parametrize("aspect", [1 / 4, 1 / 3, 9 / 16, 0.99, 1, 4 / 3, 1.9, 3, 4])
def test_any_aspect_gives_a_map_of_exactly_the_bucket(sizes: Sizes, aspect: float) -> None:
    image = drawing(round(480 * aspect**0.5), round(480 / aspect**0.5))
    size = sizes.nearest(*image.size)
    found = canny_map(image, size, 100, 200, 128)
    assert found.size == size
    assert found.mode == "RGB"
    assert np.asarray(found).max() > 128


@pytest.mark.parametrize("size", [(1, 1), (1, 1000), (3000, 2), (64, 64)])
def test_smallest_and_thinnest_pictures_have_a_map_too(size: tuple[int, int]) -> None:
    bucket = EMBEDDED.nearest(*size)
    assert canny_map(Image.new("RGB", size), bucket, 100, 200, 128).size == bucket


def test_edges_lie_where_the_picture_has_them() -> None:
    values = np.asarray(canny_map(drawing(512, 512), (128, 128), 100, 200, 128).convert("L"))
    rows, columns = np.nonzero(values > 128)
    distance = np.hypot(rows - 64, columns - 64)
    assert len(rows) > 100
    assert np.abs(distance - 128 / 3).max() < 3


def test_the_crop_keeps_the_middle() -> None:
    wide = Image.new("RGB", (1024, 256))
    ImageDraw.Draw(wide).rectangle((480, 96, 543, 159), fill="white")
    square = wide.crop((384, 0, 640, 256))
    assert (
        canny_map(wide, (128, 128), 100, 200, 128).tobytes() == canny_map(square, (128, 128), 100, 200, 128).tobytes()
    )


def test_higher_thresholds_leave_fewer_edges_and_their_order_does_not_matter() -> None:
    noise = Image.effect_noise((256, 256), 60).convert("RGB")

    def bright(low: int, high: int) -> int:
        return int(np.asarray(canny_map(noise, (128, 128), low, high, 128)).sum())

    assert bright(50, 100) > bright(200, 400) > 0
    assert bright(400, 200) == bright(200, 400)


def test_ready_map_of_the_size_is_used_as_it_is() -> None:
    image = drawing(128, 128)
    assert ready_map(image, (128, 128)).tobytes() == image.tobytes()


@pytest.mark.parametrize("size", [(300, 300), (64, 64), (500, 125), (1, 1)])
def test_ready_map_is_brought_to_the_size_without_looking_for_edges(size: tuple[int, int]) -> None:
    grey = Image.new("RGB", size, (90, 90, 90))
    scaled = ready_map(grey, (128, 128))
    assert scaled.size == (128, 128)
    assert scaled.getextrema() == ((90, 90),) * 3
