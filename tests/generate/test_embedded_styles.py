"""The family's own style LoRAs do what they are made for, on DMD2's UNet and on both community bases."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open

from dmd2_demo.generate.request import Request
from dmd2_demo.models.sources import Folder
from tests.embedded import FAMILY, EmbeddedRuntime, canny, image_to_image, lora, text
from training.evaluation.styles import MEASURES
from training.family.members import LINE_LORA, PIXEL_LORA

PROMPTS = ("a photo of a cat on blue", "a photo of a house on orange", "a photo of a tulip on green")


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedRuntime:
    return EmbeddedRuntime.open(tmp_path_factory.mktemp("converted"))


def request(base: str, prompt: str, **values: Any) -> Request:
    if base == "text to image":
        return text(prompt=prompt, **values)
    return lora(base=FAMILY.community(base), prompt=prompt, **values)


@pytest.mark.parametrize("base", ["text to image", "fluent", "twemoji"])
@pytest.mark.parametrize("style", [style.name for style in FAMILY.styles])
def test_style_shows_and_at_scale_zero_is_not_there(runtime: EmbeddedRuntime, base: str, style: str) -> None:
    def made(**values: Any) -> list[Image.Image]:
        return [runtime.make(request(base, prompt, **values)) for prompt in PROMPTS]

    without, styled = made(), made(style=style, style_scale=1.0)
    at_zero = runtime.make(request(base, PROMPTS[0], style=style, style_scale=0.0))
    assert at_zero.tobytes() == without[0].tobytes()
    measure = MEASURES[style]
    before, after = (float(np.mean([measure(image) for image in images])) for images in (without, styled))
    assert after > 1.2 * before if style == "pixel" else after < before / 4


@pytest.mark.parametrize("style", [style.name for style in FAMILY.styles])
def test_style_shows_in_what_is_made_from_a_picture(runtime: EmbeddedRuntime, style: str) -> None:
    measure = MEASURES[style]
    pictures = [runtime.make(text(prompt=prompt)) for prompt in PROMPTS]
    for make in (canny, partial(image_to_image, strength=0.75)):
        pairs = list(zip(pictures, PROMPTS, strict=True))
        without = [runtime.make(make(picture, prompt=prompt)) for picture, prompt in pairs]
        styled = [runtime.make(make(picture, prompt=prompt, style=style, style_scale=1.0)) for picture, prompt in pairs]
        at_zero = runtime.make(make(pictures[0], prompt=PROMPTS[0], style=style, style_scale=0.0))
        assert at_zero.tobytes() == without[0].tobytes()
        before, after = (float(np.mean([measure(image) for image in images])) for images in (without, styled))
        print(make, style, before, after)
        assert after > 1.2 * before if style == "pixel" else after < before / 2


def test_the_files_are_small_and_in_two_published_forms() -> None:
    found: dict[str, set[str]] = {}
    for style in FAMILY.styles:
        assert isinstance(style.file.source, Folder)
        path = style.file.source.path / style.file.name
        assert path.stat().st_size < 1_000_000
        with safe_open(path, "pt") as file:
            found[str(path)] = set(file.keys())
    kohya, peft = found[str(PIXEL_LORA)], found[str(LINE_LORA)]
    assert all(key.startswith("lora_unet_") for key in kohya)
    assert any(key.endswith(".alpha") for key in kohya)
    assert {key.split(".")[0] for key in peft} == {"unet", "text_encoder", "text_encoder_2"}
    assert all(key.endswith((".lora_A.weight", ".lora_B.weight")) for key in peft)
