"""The family's own style LoRAs do what they are made for, on DMD2's UNet and on both community bases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from dmd2_demo.generate.request import Request
from tests.embedded import FAMILY, EmbeddedRuntime, lora, text
from training.evaluation.styles import MEASURES

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
    assert after > 1.2 * before if style == "pixel" else after < before / 2
