from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.image_to_image import ImageToImage
from dmd2_demo.generate.infotext import infotext
from dmd2_demo.generate.metadata import a1111
from dmd2_demo.generate.upload import hash_of
from dmd2_demo.models.catalogue import FAMILIES

EMBEDDED, SDXL = FAMILIES["embedded"], FAMILIES["sdxl"]


def request(size: tuple[int, int] = (128, 128), **changes: Any) -> ImageToImage:
    values: dict[str, Any] = {"family": EMBEDDED, "prompt": "a cat", "seed": 0, "image": Image.new("RGB", size, "red")}
    return ImageToImage(**(values | changes))


@pytest.mark.parametrize(
    ("asked", "strength", "timesteps"),
    [
        (0, 0.25, (249,)),
        (0.3, 0.25, (249,)),
        (0.45, 0.5, (499, 249)),
        ("0.5", 0.5, (499, 249)),
        (0.7, 0.75, (749, 499, 249)),
        (1, 0.75, (749, 499, 249)),
    ],
)
def test_strength_is_snapped_to_steps_at_the_end_of_the_schedule(
    asked: float, strength: float, timesteps: tuple[int, ...]
) -> None:
    made = request(strength=asked)
    assert (made.strength, made.schedule.timesteps) == (strength, timesteps)


@pytest.mark.parametrize("strength", [-0.1, 1.1, math.nan, None, "much", True])
def test_strength_out_of_range_is_refused(strength: object) -> None:
    with pytest.raises(DemoError, match=r"^Strength must be"):
        request(strength=strength)


def test_one_step_is_refused_with_a_sentence() -> None:
    with pytest.raises(DemoError, match=r"^A one-step model can't start from a picture"):
        request(steps=1)


def test_a_family_of_one_step_alone_is_refused() -> None:
    alone = replace(EMBEDDED, distilled=(EMBEDDED.at(1),))
    with pytest.raises(DemoError, match=r"^A one-step model can't start from a picture"):
        request(family=alone)


@pytest.mark.parametrize(
    ("family", "given", "size"),
    [
        (EMBEDDED, (128, 128), (128, 128)),
        (EMBEDDED, (200, 96), (200, 96)),  # one that it could have made
        (EMBEDDED, (192, 192), (192, 192)),
        (EMBEDDED, (256, 256), (128, 128)),  # more than it does well
        (EMBEDDED, (1920, 1080), (160, 96)),
        (EMBEDDED, (127, 128), (128, 128)),
        (EMBEDDED, (1, 1), (128, 128)),
        (EMBEDDED, (1, 3000), (64, 256)),
        (SDXL, (1536, 1536), (1536, 1536)),
        (SDXL, (4000, 3000), (1152, 896)),
        (SDXL, (300, 200), (1216, 832)),
    ],
)
def test_any_size_is_worked_on_at_one_that_the_family_does_well(
    family: Any, given: tuple[int, int], size: tuple[int, int]
) -> None:
    made = request(given, family=family)
    assert made.size == made.start.size == size


@pytest.mark.parametrize(
    ("family", "given", "size"),
    [
        (EMBEDDED, (128, 128), (192, 192)),
        (EMBEDDED, (160, 96), (240, 144)),
        (EMBEDDED, (20, 10), (160, 96)),  # too small for the family still
        (SDXL, (1024, 1024), (1536, 1536)),
        (SDXL, (1344, 768), (2016, 1152)),
    ],
)
def test_refine_enlarges(family: Any, given: tuple[int, int], size: tuple[int, int]) -> None:
    assert request(given, family=family, upscale=1.5).size == size


@pytest.mark.parametrize(
    ("family", "given"),
    [(EMBEDDED, (192, 192)), (EMBEDDED, (256, 64)), (SDXL, (1536, 1536)), (SDXL, (5000, 4000)), (SDXL, (3000, 10))],
)
def test_refine_above_what_the_family_does_well_is_refused(family: Any, given: tuple[int, int]) -> None:
    with pytest.raises(
        DemoError, match=r"^Upscaled 1\.5x, this picture would be \d+ x \d+: larger than these models do well\.$"
    ):
        request(given, family=family, upscale=1.5)


def test_the_middle_of_the_picture_is_kept_undistorted() -> None:
    image = Image.new("RGB", (600, 400), "blue")
    image.paste((255, 0, 0), (200, 100, 400, 300))
    start = request(image=image).start
    assert start.size == (160, 96)
    wide = sum(start.getpixel((x, 48))[0] > 128 for x in range(160))  # type: ignore[index]
    high = sum(start.getpixel((80, y))[0] > 128 for y in range(96))  # type: ignore[index]
    assert abs(wide - high) <= 1


def test_parameters_tell_what_it_was_made_from() -> None:
    image = Image.radial_gradient("L").convert("RGB")
    told = json.loads(json.dumps(request(image=image, strength=0.5, upscale=1.0).parameters()))
    assert told["image_sha256"] == hash_of(image)
    assert (told["task"], told["strength"], told["steps"]) == ("image_to_image", 0.5, 4)
    assert told["timesteps"] == [499, 249]
    assert (told["width"], told["height"]) == (128, 128)


def test_other_tools_read_the_strength() -> None:
    text = infotext(request(strength=0.5).parameters())
    assert "Steps: 4," in text
    assert "Denoising strength: 0.5" in text
    found = a1111.read(text)
    assert found
    assert found.settings["seed"] == 0
    assert found.settings["prompt"] == "a cat"


def test_it_shares_all_parts_with_text_to_image() -> None:
    spec = request().spec()
    assert spec.unet == EMBEDDED.unet(4)
    assert (spec.vae, spec.adapter) == (EMBEDDED.vae, None)
