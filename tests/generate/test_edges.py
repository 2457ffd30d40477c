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
    ours = canny_map(image, (1024, 1024), 100, 200, 384).image
    assert np.array_equal(np.asarray(ours), np.asarray(card))


@pytest.mark.parametrize("sizes", [EMBEDDED, SDXL], ids=["embedded", "sdxl"])
@pytest.mark.parametrize("aspect", [1 / 4, 1 / 3, 9 / 16, 0.99, 1, 4 / 3, 1.9, 3, 4])
def test_any_aspect_gives_a_map_of_exactly_the_bucket(sizes: Sizes, aspect: float) -> None:
    image = drawing(round(480 * aspect**0.5), round(480 / aspect**0.5))
    size = sizes.nearest(*image.size)
    found = canny_map(image, size, 100, 200, 128).image
    assert found.size == size
    assert found.mode == "RGB"
    assert np.asarray(found).max() > 128


@pytest.mark.parametrize("size", [(1, 1), (1, 1000), (3000, 2), (64, 64)])
def test_smallest_and_thinnest_pictures_have_a_map_too(size: tuple[int, int]) -> None:
    bucket = EMBEDDED.nearest(*size)
    assert canny_map(Image.new("RGB", size), bucket, 100, 200, 128).image.size == bucket


def test_edges_lie_where_the_picture_has_them() -> None:
    values = np.asarray(canny_map(drawing(512, 512), (128, 128), 100, 200, 128).image.convert("L"))
    rows, columns = np.nonzero(values > 128)
    distance = np.hypot(rows - 64, columns - 64)
    assert len(rows) > 100
    assert np.abs(distance - 128 / 3).max() < 3


def test_the_crop_keeps_the_middle() -> None:
    wide = Image.new("RGB", (1024, 256))
    ImageDraw.Draw(wide).rectangle((480, 96, 543, 159), fill="white")
    square = wide.crop((384, 0, 640, 256))
    of_wide, of_square = (canny_map(image, (128, 128), 100, 200, 128).image for image in (wide, square))
    assert of_wide.tobytes() == of_square.tobytes()


def test_higher_thresholds_leave_fewer_edges_and_their_order_does_not_matter() -> None:
    noise = Image.effect_noise((256, 256), 60).convert("RGB")

    def bright(low: int, high: int) -> int:
        return int(np.asarray(canny_map(noise, (128, 128), low, high, 128).image).sum())

    assert bright(50, 100) > bright(200, 400) > 0
    assert bright(400, 200) == bright(200, 400)


def test_ready_map_of_the_size_is_used_as_it_is() -> None:
    image = drawing(128, 128)
    assert ready_map(image, (128, 128)).image.tobytes() == image.tobytes()


@pytest.mark.parametrize("size", [(300, 300), (64, 64), (500, 125), (1, 1)])
def test_ready_map_is_brought_to_the_size_without_looking_for_edges(size: tuple[int, int]) -> None:
    grey = Image.new("RGB", size, (90, 90, 90))
    scaled = ready_map(grey, (128, 128)).image
    assert scaled.size == (128, 128)
    assert scaled.getextrema() == ((90, 90),) * 3


def line_drawing(line: object, ground: object, size: tuple[int, int] = (256, 256)) -> Image.Image:
    image = Image.new("RGB", size, ground)  # type: ignore[arg-type]
    ImageDraw.Draw(image).circle((size[0] // 2, size[1] // 2), 80, outline=line, width=4)  # type: ignore[arg-type]
    return image


RIGHT = ready_map(line_drawing("white", "black"), (128, 128))


def test_white_on_black_needs_no_word() -> None:
    assert RIGHT.notices == ()


@pytest.mark.parametrize(
    ("line", "ground"),
    [
        ("black", "white"),
        ("black", (235, 225, 200)),
        ((60, 60, 60), (200, 200, 200)),
        ("navy", "white"),
        ("red", "white"),
    ],
)
def test_dark_on_light_is_turned_over_and_said(line: object, ground: object) -> None:
    found = ready_map(line_drawing(line, ground), (128, 128))
    assert [notice.partition(",")[0] for notice in found.notices] == ["The edge map was dark on light"]
    ours, right = (np.asarray(edges.image.convert("L")) > 64 for edges in (found, RIGHT))
    assert np.mean(ours != right) < 0.02


def test_black_on_white_becomes_what_white_on_black_is() -> None:
    found = ready_map(line_drawing("black", "white"), (128, 128))
    assert np.abs(np.asarray(found.image, int) - np.asarray(RIGHT.image, int)).max() <= 1


@pytest.mark.parametrize("ground", ["black", "white", (250, 250, 250)])
def test_an_empty_sheet_is_said(ground: object) -> None:
    (*_, notice) = ready_map(Image.new("RGB", (256, 256), ground), (128, 128)).notices  # type: ignore[arg-type]
    assert notice.startswith("There are hardly any edges to follow")


def test_lines_too_faint_to_guide_are_said() -> None:
    (notice,) = ready_map(line_drawing((30, 30, 30), "black"), (128, 128)).notices
    assert notice.startswith("There are hardly any edges to follow")


def test_a_photograph_taken_for_a_map_is_said() -> None:
    (notice,) = ready_map(Image.new("RGB", (256, 256), (110, 110, 110)), (128, 128)).notices
    assert notice.startswith("The edge map is full of white")
    assert "Untick" in notice


@pytest.mark.parametrize(
    ("image", "notice"),
    [
        (Image.new("RGB", (256, 256), "blue"), "There are hardly any edges to follow, so the prompt alone decides."),
        (Image.effect_noise((256, 256), 200).convert("RGB"), "The edge map is full of white"),
    ],
)
def test_a_picture_with_no_edges_or_nothing_else_is_said(image: Image.Image, notice: str) -> None:
    (said,) = canny_map(image, (256, 256), 0, 1, 256).notices
    assert said.startswith(notice)
    assert "hresholds find" in said
