"""What tools of the field read in a picture. They take its text apart as WebUI does: see `read`."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dmd2_demo.generate.infotext import infotext
from dmd2_demo.generate.request import Request
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.family import StyleLora
from dmd2_demo.models.sources import File, Folder, HubRepo
from tests.embedded import FAMILY, canny, lora, text

SDXL = FAMILIES["sdxl"]
SQUARE = Image.new("RGB", (128, 128))


def read(told: str) -> tuple[str, dict[str, str]]:
    """Prompt and settings: the last line holds them, in quotes where there is a comma, a colon or a quote inside."""
    prompt, _, line = told.rpartition("\n")
    found = re.findall(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)', line)
    assert len(found) >= 3
    return prompt, {name: json.loads(value) if value.startswith('"') else value for name, value in found}


def settings(request: Request) -> dict[str, str]:
    return read(infotext(request.parameters()))[1]


def test_text_to_image_word_for_word() -> None:
    assert infotext(text(prompt="a cat", seed=12, width=64, height=72).parameters()) == (
        "a cat\nSteps: 4, Sampler: LCM, CFG scale: 1, Seed: 12, Size: 64x72, Model: dmd2_sdxl_4step_unet_fp16"
    )


def test_a_chosen_prompt_keeps_its_weights_and_tells_what_it_was_chosen_from() -> None:
    request = text(prompt="a {(cat:1.2)|[dog]}\n, \\(x\\)")
    prompt, found = read(infotext(request.parameters(1)))
    assert prompt == "a [dog]\n, \\(x\\)"
    assert found["Template"] == request.prompt
    assert "Template" not in settings(text(prompt="a (cat:1.2)"))


@pytest.mark.parametrize(("steps", "model"), [(4, "dmd2_sdxl_4step_unet_fp16"), (1, "dmd2_sdxl_1step_unet_fp16")])
def test_the_model_is_the_unet_of_those_steps(steps: int, model: str) -> None:
    assert settings(text(steps=steps))["Model"] == model


@pytest.mark.parametrize(
    ("values", "model"),
    [
        ({"base": "fluent"}, "fluent"),
        ({"base": "twemoji"}, "twemoji"),
        ({"family": SDXL, "base": "realvis", "width": 1024, "height": 1024}, "RealVisXL_V5.0"),
    ],
)
def test_a_lora_is_told_with_its_scale_and_the_base_below_it(values: dict[str, Any], model: str) -> None:
    base = values.get("family", FAMILY).community(values["base"])
    prompt, found = read(infotext(lora(prompt="a cat", lora_scale=0.75, **(values | {"base": base})).parameters()))
    assert prompt == "a cat <lora:dmd2_sdxl_4step_lora_fp16:0.75>"
    assert found["Model"] == model


@pytest.mark.parametrize("scale", [0, 1, 1.5])
def test_scales_are_written_as_short_as_they_are(scale: float) -> None:
    assert infotext(lora(lora_scale=scale).parameters()).partition("\n")[0].endswith(f":{scale}>")


@pytest.mark.parametrize("request_", [text(), lora(), canny(SQUARE)], ids=["text", "lora", "canny"])
def test_guidance_is_none_as_other_tools_count_it(request_: Request) -> None:
    assert settings(request_)["CFG scale"] == "1"


@pytest.mark.parametrize("name", ["one, two", "one: two", 'the "best"', "één"])
def test_a_bases_name_of_any_letters_is_read_back(name: str) -> None:
    base = replace(FAMILY.bases[1], source=Folder(Path(name)))
    assert settings(lora(base=base))["Model"] == name


@pytest.mark.parametrize("prompt", ["Steps: 9, Seed: 3, Size: 1x1", "two\nlines", 'a "quoted" cat, a dog: both'])
def test_settings_within_the_prompt_are_not_taken_for_the_pictures_own(prompt: str) -> None:
    found, line = read(infotext(text(prompt=prompt, seed=12).parameters()))
    assert (found, line["Seed"], line["Steps"]) == (prompt, "12", "4")


def test_loras_of_one_file_name_are_told_apart_each_with_its_hash() -> None:
    file = "pytorch_lora_weights.safetensors"
    styles = [
        StyleLora(str(number), "", File(HubRepo(f"owner/{repo}"), file), FAMILY.licence, ())
        for number, repo in enumerate(("a", "b", "b"), 1)
    ]
    styles[2] = replace(styles[2], file=File(HubRepo("another/b"), file))
    one, two, three = styles
    request = text(prompt="a cat", style=one, style_2=two, style_3=three, style_scale=0.5, style_3_scale=1.0)
    weights = [
        {"part": "LoRA", "file": str(style.file), "sha256": "", "autov3": style.name} for style, _ in request.styles()
    ]
    told = infotext(request.parameters() | {"weights": weights})
    names = re.findall("<lora:(.*?):", told)
    assert len(set(names)) == 3
    hashes = read(told)[1]["Lora hashes"]
    assert hashes == ", ".join(
        f"{name}: {style.name}" for name, (style, _) in zip(names, request.styles(), strict=True)
    )


def test_a_plain_prompts_brackets_are_letters_to_readers() -> None:
    plain = infotext(text(prompt="a (cat:1.5) [dog] \\x", plain_prompt=True).parameters())
    assert plain.startswith("a \\(cat:1.5\\) \\[dog\\] \\\\x\n")


def test_a_term_for_a_lora_claims_none() -> None:
    assert infotext(text(prompt="a cat <lora:ink:0.8>").parameters()).startswith("a cat\n")
