"""Settings out of files: our own in every format, other tools' in every form, and whatever strangers write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from PIL import Image, PngImagePlugin
from PIL.ExifTags import Base

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.metadata import a1111, comfyui, fooocus, formats, reading
from dmd2_demo.generate.picture import Picture
from tests.embedded import canny, lora, text
from tests.generate.metadata.comfyui_graph import GRAPH

SQUARE = Image.new("RGB", (64, 64), "teal")
REQUESTS = [text(seed=3), lora(lora_scale=0.6), canny(SQUARE, low_threshold=50)]
PROMPTS = ["a cat", 'un été, 語 🦊 "quoted" <b>&amp;</b> ]]>', "lines\nSteps: 9, Seed: 8", "\ufffe\uffff"]


@pytest.mark.parametrize("file_format", formats.FORMATS, ids=lambda known: known.name)
@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request.task)
def test_ours_is_read_back_from_every_format(tmp_path: Path, file_format: formats.FileFormat, request_: Any) -> None:
    found = reading.read(Picture(SQUARE, request_.parameters(), 0.1).save(tmp_path, file_format))
    assert found.tool == reading.OURS
    assert found.settings == request_.parameters()


@pytest.mark.parametrize("file_format", formats.FORMATS, ids=lambda known: known.name)
@pytest.mark.parametrize("prompt", PROMPTS)
def test_any_prompt_is_read_back(tmp_path: Path, file_format: formats.FileFormat, prompt: str) -> None:
    parameters = text().parameters() | {"prompt": prompt}
    assert reading.read(Picture(SQUARE, parameters, 0.1).save(tmp_path, file_format)).settings == parameters


@pytest.mark.parametrize("file_format", formats.FORMATS, ids=lambda known: known.name)
def test_every_format_says_that_a_model_made_it(tmp_path: Path, file_format: formats.FileFormat) -> None:
    path = Picture(SQUARE, text().parameters(), 0.1).save(tmp_path, file_format)
    assert b"digitalsourcetype/trainedAlgorithmicMedia" in path.read_bytes()


@pytest.mark.parametrize("file_format", formats.FORMATS, ids=lambda known: known.name)
def test_without_settings_there_are_none(tmp_path: Path, file_format: formats.FileFormat) -> None:
    path = Picture(SQUARE, text(prompt="a secret").parameters(), 0.1).save(tmp_path, file_format, settings_inside=False)
    assert b"secret" not in path.read_bytes()
    with pytest.raises(DemoError, match="There are no settings in that picture"):
        reading.read(path)


def png(path: Path, **texts: str) -> Path:
    info = PngImagePlugin.PngInfo()
    for name, told in texts.items():
        info.add_text(name, told)
    SQUARE.save(path, pnginfo=info)
    return path


WEBUI = (
    "a cat, (fluffy:1.2) <lora:style:0.8>\nNegative prompt: bad,\nvery bad\n"
    'Steps: 30, Sampler: DPM++ 2M, CFG scale: 7, Seed: 5, Size: 160x96, Model: "a, b: c", Version: v1.10'
)


def webui_in_exif(path: Path, order: str, text: str = WEBUI) -> Path:
    exif = Image.Exif()
    exif[Base.ExifOffset] = {Base.UserComment.value: b"UNICODE\0" + text.encode(order)}
    SQUARE.save(path, exif=exif.tobytes())
    return path


@pytest.mark.parametrize("kind", ["png", "jpg", "webp"])
@pytest.mark.parametrize("order", ["utf-16-be", "utf-16-le"])
def test_webuis_text_is_read_wherever_it_stands(tmp_path: Path, kind: str, order: str) -> None:
    path = tmp_path / f"theirs.{kind}"
    found = reading.read(png(path, parameters=WEBUI) if kind == "png" else webui_in_exif(path, order))
    assert found.tool == a1111.TOOL
    assert found.loras == {"style": 0.8}
    assert found.settings == {"prompt": "a cat, (fluffy:1.2)", "seed": 5, "width": 160, "height": 96}
    assert found.ignored == {
        "Negative prompt": "bad,\nvery bad",
        "Steps": "30",
        "Sampler": "DPM++ 2M",
        "CFG scale": "7",
        "Model": "a, b: c",
        "Version": "v1.10",
    }


@pytest.mark.parametrize("order", ["utf-16-be", "utf-16-le"])
@pytest.mark.parametrize("first", "最一가é")
def test_the_order_of_bytes_is_told_by_all_of_the_text(tmp_path: Path, first: str, order: str) -> None:
    found = reading.read(webui_in_exif(tmp_path / "theirs.jpg", order, first + WEBUI))
    assert found.settings["prompt"] == first + "a cat, (fluffy:1.2)"


def test_comfyuis_graph_is_followed(tmp_path: Path) -> None:
    found = reading.read(png(tmp_path / "theirs.png", prompt=json.dumps(GRAPH), workflow='{"nodes": []}'))
    assert found.tool == comfyui.TOOL
    assert found.settings == {"prompt": "a lighthouse", "seed": 8, "width": 832, "height": 1216}
    assert found.ignored == {
        "Steps": "20",
        "CFG scale": "8.0",
        "Sampler": "euler",
        "Scheduler": "normal",
        "Negative prompt": "ugly",
        "Model": "sdxl.safetensors",
    }
    assert found.loras == {"x": 0.7}


HOSTILE = {
    "nested list": "[" * 200_000,
    "nested object": '{"a":' * 200_000,
    "nested in ours": '{"prompt": ' + "[" * 200_000,
    "a number": "1" * 500_000,
    "no end": '{"prompt": "',
    "a list": '["prompt"]',
    "no object": "null",
    "nothing of ours": "{}",
}


@pytest.mark.parametrize("told", HOSTILE.values(), ids=list(HOSTILE))
@pytest.mark.parametrize("name", ["dmd2", "parameters", "prompt"])
def test_hostile_text_is_one_sentence(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(DemoError) as raised:
        reading.read(png(tmp_path / "odd.png", **{name: told}))
    assert "\n" not in str(raised.value)


def test_text_of_megabytes_is_not_read(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[Base.ImageDescription] = "Steps: 1, " * 150_000
    path = tmp_path / "long.webp"
    SQUARE.save(path, exif=exif.tobytes())
    with pytest.raises(DemoError, match="longer than 1,000,000 letters"):
        reading.read(path)


def test_long_text_of_another_kind_hides_no_settings(tmp_path: Path) -> None:
    path = png(tmp_path / "theirs.png", workflow="x" * 1_100_000, prompt=json.dumps(GRAPH))
    assert reading.read(path).settings["prompt"] == "a lighthouse"


@pytest.mark.parametrize("tool", [fooocus.TOOL, comfyui.TOOL])
def test_terms_for_loras_are_no_words_of_other_tools_prompts_either(tmp_path: Path, tool: str) -> None:
    prompt = "a fox <lora:ink:.5> <lora:other>"
    told: Any = {"prompt": prompt, "resolution": "(64, 64)"}
    if tool == comfyui.TOOL:
        told = GRAPH | {"20": {"inputs": {"value": prompt}}}
    found = reading.read(png(tmp_path / "theirs.png", prompt=json.dumps(told)))
    assert found.tool == tool
    assert found.settings["prompt"] == "a fox"
    assert {"ink": 0.5, "other": 1.0}.items() <= found.loras.items()


def test_novelais_pictures_are_not_taken_for_fooocus(tmp_path: Path) -> None:
    told = {"prompt": "a fox", "steps": 28, "height": 1216, "width": 832, "seed": 1, "sampler": "k_euler", "uc": "bad"}
    with pytest.raises(DemoError, match="by a tool of another kind"):
        reading.read(png(tmp_path / "theirs.png", Comment=json.dumps(told)))


def test_a_photo_is_told_to_have_none(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[Base.Make] = "Apple"
    SQUARE.save(tmp_path / "photo.jpg", exif=exif.tobytes())
    with pytest.raises(DemoError, match="it is a photo"):
        reading.read(tmp_path / "photo.jpg")


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n" + b"\0" * 100, b"text"])
def test_no_pictures(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd"
    path.write_bytes(content)
    with pytest.raises(DemoError, match=r"not a picture|damaged"):
        reading.read(path)


def test_a_file_that_is_cut_off(tmp_path: Path) -> None:
    whole = Picture(Image.effect_noise((64, 64), 90).convert("RGB"), text().parameters(), 0.1).save(tmp_path)
    path = tmp_path / "cut.png"
    path.write_bytes(whole.read_bytes()[:3000])
    with pytest.raises(DemoError, match="damaged or cut off"):
        reading.read(path)


@pytest.mark.parametrize(
    "texts",
    [
        {"parameters": "a cat\nSteps: 4, Seed: 99999999999999999999, Sampler: Euler"},
        {"prompt": json.dumps({"1": {"inputs": {"seed": 2**64 - 1, "positive": "", "latent_image": ""}}})},
        {"dmd2": json.dumps({"prompt": "a cat", "seed": 10**25})},
        {"dmd2": json.dumps({"prompt": "a cat", "seed": 10**4000})},
        {"dmd2": '{"prompt": "\\ud800 cat", "\\ud800": "\\udfff"}'},
        {"parameters": 'a cat\nSteps: 4, Sampler: "\\ud800", Seed: 1'},
    ],
)
def test_what_is_read_can_be_sent_as_json(tmp_path: Path, texts: dict[str, str]) -> None:
    found = reading.read(png(tmp_path / "odd.png", **texts))
    assert orjson.loads(orjson.dumps([found.settings, found.ignored]))


def test_settings_without_end_are_told(tmp_path: Path) -> None:
    told = '{"prompt": "a cat", "odd": ' + "[" * 300 + "]" * 300 + "}"
    with pytest.raises(DemoError, match="nested too deep"):
        reading.read(png(tmp_path / "deep.png", dmd2=told))


def test_good_settings_beside_damaged_exif_are_read(tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a cat\nSteps: 4, Seed: 7")
    SQUARE.save(tmp_path / "exif.png", pnginfo=info, exif=b"Exif\0\0XXgarbage")
    assert reading.read(tmp_path / "exif.png").settings["seed"] == 7
