"""Settings come back from pictures: ours made again are the same pixels, in another process too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client import handle_file
from gradio_client.exceptions import AppError
from PIL import Image, ImageChops, PngImagePlugin

from dmd2_demo.generate.metadata import formats, reading
from dmd2_demo.models.catalogue import FAMILIES
from tests.visitor import Visitor

EXAMPLES = [*FAMILIES["embedded"].examples, *FAMILIES["embedded"].lora_examples]
FORMATS = [known.name for known in formats.FORMATS]


@pytest.fixture
def visitor(address: str, tmp_path: Path) -> Visitor:
    return Visitor(address, tmp_path)


def inspect(visitor: Visitor, path: Path) -> dict[str, Any]:
    found: dict[str, Any] = visitor.client.predict(image=handle_file(path), api_name="/inspect")
    return found


def asked(settings: dict[str, Any], endpoint: str) -> dict[str, Any]:
    named = visitor_fields(endpoint)
    return {name: value for name, value in settings.items() if name in named}


def visitor_fields(endpoint: str) -> set[str]:
    common = {"prompt", "seed", "tiny_vae", "plain_prompt"}
    own = {
        "/text_to_image": {"width", "height", "steps"},
        "/lora": {"width", "height", "base", "lora_scale"},
        "/canny": {"low_threshold", "high_threshold", "is_edge_map", "conditioning_scale", "guided_steps"},
        "/image_to_image": {"strength", "upscale", "steps"},
    }
    return common | own[endpoint]


@pytest.mark.parametrize("endpoint", ["/text_to_image", "/lora", "/canny", "/image_to_image"])
@pytest.mark.parametrize("file_format", FORMATS)
def test_a_picture_made_here_is_made_again_from_what_it_says(visitor: Visitor, endpoint: str, file_format: str) -> None:
    first = visitor.ask(endpoint, seed=31, file_format=file_format)
    found = inspect(visitor, first.paths[0])
    assert found["tool"] == reading.OURS
    assert found["notices"] == []
    assert found["settings"]["task"] == endpoint.removeprefix("/")
    again = visitor.ask(endpoint, **asked(found["settings"], endpoint) | {"file_format": file_format})
    assert again.pixels == first.pixels


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.prompt)
def test_the_shipped_examples_are_what_their_settings_make(visitor: Visitor, example: Any) -> None:
    settings = dict(reading.read(example.picture).settings)
    endpoint = f"/{settings['task']}"
    again = visitor.ask(endpoint, **asked(settings, endpoint))
    with Image.open(example.picture) as shipped:
        difference = ImageChops.difference(shipped.convert("RGB"), again.pictures[0].convert("RGB"))
    # They were made on another processor, whose kernels may round otherwise.
    assert int(np.asarray(difference).max()) <= 1


def with_text(path: Path, text: str, name: str = "parameters") -> Path:
    info = PngImagePlugin.PngInfo()
    info.add_text(name, text)
    Image.new("RGB", (8, 8)).save(path, pnginfo=info)
    return path


def test_what_another_tool_says_is_used_as_far_as_it_goes(visitor: Visitor, tmp_path: Path) -> None:
    text = (
        "a cat, (fluffy:1.2) <lora:a:0.8><lora:b:0.8> <lora:c:0.8> <lora:pixel-art:0.5>"
        " <lora:pytorch_lora_weights:0.8>\nNegative prompt: bad\n"
        "Steps: 30, Sampler: DPM++ 2M, CFG scale: 7, Seed: 5, Size: 160x96"
    )
    found = inspect(visitor, with_text(tmp_path / "theirs.png", text))
    style = {"style": "pixel", "style_scale": 0.5}
    assert found["settings"] == {"prompt": "a cat, (fluffy:1.2)", "seed": 5, "width": 160, "height": 96, **style}
    assert {"Steps", "Sampler", "CFG scale", "Negative prompt"} <= set(found["ignored"])
    unknown = {name: told for name, told in found["ignored"].items() if name.startswith("LoRA")}
    # The last is what many LoRAs are called, one of ours too.
    assert unknown == {f"LoRA {name}": "scale 0.8" for name in ("a", "b", "c", "pytorch_lora_weights")}
    assert found["notices"] == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("hello", "There are no settings in that picture"),
        ("x" * 1_100_000, None),
        ("[" * 100_000, "There are no settings in that picture"),
    ],
    ids=["unknown", "long", "nested"],
)
def test_broken_text_is_told(visitor: Visitor, tmp_path: Path, text: str, sentence: str | None) -> None:
    path = with_text(tmp_path / "odd.png", text, "dmd2")
    with pytest.raises(AppError) as raised:
        inspect(visitor, path)
    assert "\n" not in str(raised.value)
    if sentence:
        assert sentence in str(raised.value)
    assert visitor.ask("/text_to_image", steps=1).pictures


def test_a_picture_between_two_says_whose_settings_it_has(visitor: Visitor, tmp_path: Path) -> None:
    for name, sentence in (
        ("share", "That picture lies between two others; these are the settings of the first of them."),
        ("shares", "That film leads from one picture to another; these are the settings of the first."),
    ):
        told = json.dumps({"prompt": "a cat", "seed": 1, "steps": 1, "morph": {name: [0.5]}})
        assert inspect(visitor, with_text(tmp_path / f"{name}.png", told, "dmd2"))["notices"] == [sentence]


def test_a_picture_saved_without_settings_says_so(visitor: Visitor) -> None:
    plain = visitor.ask("/text_to_image", seed=3, settings_inside=False)
    with pytest.raises(AppError, match="There are no settings in that picture"):
        inspect(visitor, plain.paths[0])
