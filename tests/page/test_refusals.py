"""Bad input gets one sentence, and the next request works."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from tests.pngs import png_of_zeros
from tests.raw_visitor import PATIENCE
from tests.visitor import Visitor


@pytest.fixture(scope="module")
def visitor(address: str, tmp_path_factory: pytest.TempPathFactory) -> Visitor:
    return Visitor(address, tmp_path_factory.mktemp("visitor"))


def refusal(visitor: Visitor, endpoint: str, **values: Any) -> str:
    with pytest.raises(AppError) as raised:
        visitor.ask(endpoint, **values)
    assert visitor.ask("/text_to_image", steps=1).pictures
    return str(raised.value)


ANY = ["/text_to_image", "/lora", "/canny"]
SEED = "Seed must be a whole number from -1 to 4294967295."
PICTURES = "Pictures must be a whole number from 1 to 8."
WIDTH = "Width must be a multiple of 8 from 64 to 256."
BAD = [
    *((endpoint, {"prompt": " \n"}, "the prompt is empty.") for endpoint in ANY),
    *((endpoint, {"seed": "x"}, SEED) for endpoint in ANY),
    *((endpoint, {"images": 9}, PICTURES) for endpoint in ANY),
    *((endpoint, {"width": 100}, WIDTH) for endpoint in ANY[:2]),
    *(("/text_to_image", {"seed": seed}, SEED) for seed in (-2, 2**32, 0.5, 1e300, None, 10**400)),
    *(("/lora", {"images": images}, PICTURES) for images in (0, 1.5, -1e30, "many", None)),
    *(("/text_to_image", {"width": width}, WIDTH) for width in (0, -128, 1e9, None, "wide")),
    ("/text_to_image", {"prompt": "x" * 10_001}, "The prompt has 10,001 characters; the most is 10,000."),
    ("/text_to_image", {"steps": 2}, "Steps must be 1 or 4."),
    ("/text_to_image", {"steps": None}, "Steps must be a whole number from 1 to 4."),
    ("/lora", {"lora_scale": -0.5}, "LoRA scale must be between 0 and 1.5."),
    ("/lora", {"lora_scale": "strong"}, "LoRA scale must be a number."),
    ("/lora", {"base": "nowhere"}, "There is no base called 'nowhere'. Choose one of: base, fluent, twemoji."),
    ("/lora", {"base": None}, "There is no base called None. Choose one of: base, fluent, twemoji."),
    ("/canny", {"image": None}, "Choose a picture first."),
    ("/canny", {"low_threshold": -5}, "Low threshold must be a whole number from 0 to 1000."),
    ("/canny", {"conditioning_scale": 3}, "Conditioning scale must be between 0 and 2."),
    ("/canny", {"guided_steps": 5}, "Guided steps must be a whole number from 0 to 4."),
]


@pytest.mark.parametrize(("endpoint", "values", "sentence"), BAD, ids=range(len(BAD)))
def test_bad_value_gets_one_sentence_and_the_next_request_works(
    visitor: Visitor, endpoint: str, values: dict[str, Any], sentence: str
) -> None:
    told = refusal(visitor, endpoint, **values)
    assert told.endswith(sentence)
    assert "\n" not in told


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_json_does_not_have_are_refused_too(address: str, visitor: Visitor, value: str) -> None:
    url = f"{address}gradio_api/call/lora"
    described = visitor.client.view_api(print_info=False, return_format="dict")["named_endpoints"]["/lora"]
    named = {given["parameter_name"]: json.dumps(given["parameter_default"]) for given in described["parameters"]}
    sent = ", ".join((named | {"prompt": json.dumps("a cat"), "lora_scale": value}).values())
    body = f'{{"data": [{sent}]}}'
    headers = {"content-type": "application/json"}
    event = httpx.post(url, content=body, headers=headers, timeout=PATIENCE).json()["event_id"]
    answer = httpx.get(f"{url}/{event}", timeout=PATIENCE).text
    assert "event: error" in answer
    assert "LoRA scale must be between 0 and 1.5." in answer


def truncated(path: Path) -> None:
    Image.effect_noise((200, 200), 90).save(path)
    path.write_bytes(path.read_bytes()[:5000])


BAD_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (lambda path: path.write_text("no picture"), "That file is not a picture that can be read."),
    "empty": (lambda path: path.write_bytes(b""), "That file is not a picture that can be read."),
    "truncated": (truncated, "The picture is damaged or cut off."),
    "bomb": (lambda path: path.write_bytes(png_of_zeros(20_000, 20_000)), "The picture is too large."),
    "huge header": (lambda path: path.write_bytes(png_of_zeros(65_535, 65_535)), "The picture is too large."),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_bad_file_gets_one_sentence_and_the_next_request_works(visitor: Visitor, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "picture.png"
    write, sentence = BAD_FILES[kind]
    write(path)
    assert refusal(visitor, "/canny", image=handle_file(path)) == sentence


@pytest.mark.parametrize("mode", ["P", "CMYK", "LA", "RGBA", "L", "1", "I;16"])
def test_odd_picture_is_drawn_all_the_same(visitor: Visitor, tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("picture.tiff" if mode == "CMYK" else "picture.png")
    with Image.open(visitor.drawing) as drawing:
        (drawing.convert("L") if mode in {"1", "I;16"} else drawing).convert(mode).save(path)
    assert visitor.ask("/canny", image=handle_file(path)).pictures[0].size == (144, 112)


def test_single_pixel_is_drawn_all_the_same(visitor: Visitor, tmp_path: Path) -> None:
    path = tmp_path / "pixel.png"
    Image.new("RGB", (1, 1)).save(path)
    assert visitor.ask("/canny", image=handle_file(path)).pictures[0].size == (128, 128)
