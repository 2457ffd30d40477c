from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from dmd2_demo.generate.picture import Picture
from dmd2_demo.generate.requests import TextToImage
from dmd2_demo.models.catalogue import FAMILIES


def picture(prompt: str = "a cat", seed: int = 7) -> Picture:
    request = TextToImage(family=FAMILIES["embedded"], prompt=prompt, seed=seed, width=64, height=72)
    gradient = Image.linear_gradient("L").resize((64, 72)).convert("RGB")
    return Picture(gradient, request.parameters(), seconds=0.1)


def test_saved_file_is_a_png_of_the_very_pixels_named_by_its_seed(tmp_path: Path) -> None:
    made = picture()
    path = made.save(tmp_path)
    assert path.parent == tmp_path
    assert path.name.startswith("7-")
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.mode == "RGB"
        assert image.tobytes() == made.image.tobytes()


@pytest.mark.parametrize("prompt", ["a cat", "un été, 語, 🦊", 'quotes " and \\ and\nlines', "x" * 10_000])
def test_settings_are_read_back_from_the_file(tmp_path: Path, prompt: str) -> None:
    made = picture(prompt)
    with Image.open(made.save(tmp_path)) as image:
        image.load()
        assert json.loads(image.info["dmd2"]) == made.parameters
        assert image.info["parameters"].startswith(f"{prompt}\nSteps: 4, ")


@pytest.mark.parametrize(
    ("prompt", "chunk"), [("a cat", b"tEXt"), ("un été", b"tEXt"), ("語", b"iTXt"), ("🦊", b"iTXt")]
)
def test_plain_text_is_in_the_chunk_that_every_tool_reads(tmp_path: Path, prompt: str, chunk: bytes) -> None:
    written = picture(prompt).save(tmp_path).read_bytes()
    assert chunk + b"parameters\0" in written
    assert (chunk if chunk == b"tEXt" else b"iTXt") + b"dmd2\0" in written


def test_two_pictures_of_one_seed_are_two_files(tmp_path: Path) -> None:
    assert picture().save(tmp_path) != picture().save(tmp_path)
