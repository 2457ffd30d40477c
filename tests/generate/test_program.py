"""The program that is given away makes the very picture: each is run, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from dmd2_demo.generate.program import INPUT, program
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.requests import CannyGuided, TextToImage
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.family import CommunityBase
from dmd2_demo.models.sources import Folder
from tests.embedded import FAMILY, EmbeddedRuntime, canny, lora, text

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedRuntime:
    return EmbeddedRuntime.open(tmp_path_factory.mktemp("converted"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the repository's files are, and what the program writes is not."""
    (tmp_path / "dmd2_demo").symlink_to(ROOT / "dmd2_demo")
    return tmp_path


def drawing() -> Image.Image:
    """Something with edges, not square."""
    image = Image.new("RGB", (640, 480), (40, 60, 80))
    ImageDraw.Draw(image).circle((320, 240), 150, (230, 210, 60))
    return image


def requests() -> Iterator[Request]:
    quotes = 'a "fox"\'s \\ house\non blue'
    yield text(steps=1, seed=5, width=160, height=96)
    yield text(prompt=quotes, seed=6, tiny_vae=True)
    for base in FAMILY.bases:
        yield lora(base=base, lora_scale=0.65, seed=7)
    yield canny(drawing(), seed=8, low_threshold=220, high_threshold=110, conditioning_scale=0.9, guided_steps=3)
    yield canny(drawing().convert("L").point(lambda v: 255 * (v > 99)).convert("RGB"), seed=9, is_edge_map=True)


@pytest.mark.parametrize("request_", list(requests()), ids=lambda request: f"{request.task} {request.seed}")
def test_the_program_makes_the_very_picture(setup: EmbeddedRuntime, folder: Path, request_: Request) -> None:
    if isinstance(request_, CannyGuided):
        request_.image.save(folder / INPUT)
    (folder / "made.py").write_text(program(request_))
    subprocess.run([sys.executable, "made.py"], cwd=folder, check=True, timeout=300)
    with Image.open(folder / f"{request_.seed}.png") as made:
        assert made.tobytes() == setup.make(request_).tobytes()


def test_published_files_are_named_by_their_repositories() -> None:
    told = program(TextToImage(family=FAMILIES["sdxl"], prompt="a cat", seed=1))
    assert "hf_hub_download('tianweiy/DMD2', 'dmd2_sdxl_4step_unet_fp16.safetensors')" in told
    assert "'stabilityai/stable-diffusion-xl-base-1.0'" in told
    assert "vae = AutoencoderKL.from_pretrained('madebyollin/sdxl-vae-fp16-fix', dtype=dtype)" in told
    compile(told, "program", "exec")


def test_no_path_of_this_disk_is_told(tmp_path: Path) -> None:
    mine = CommunityBase("mine", "Mine", Folder(tmp_path / "secret" / "mine"), FAMILY.licence)
    told = program(lora(base=mine))
    assert str(tmp_path) not in told
    assert "secret" not in told
    assert "'path/to/mine'" in told
