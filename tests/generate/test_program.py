"""The program that is given away makes the very picture: each is run, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.image_to_image import ImageToImage
from dmd2_demo.generate.program import INPUT, program
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.requests import CannyGuided, TextToImage
from dmd2_demo.generate.upload import rgb
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.family import CommunityBase, StyleLora
from dmd2_demo.models.sources import File, Folder, HubRepo
from tests.embedded import FAMILY, EmbeddedRuntime, canny, image_to_image, lora, text

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedRuntime:
    return EmbeddedRuntime.open(tmp_path_factory.mktemp("converted"))


def drawing() -> Image.Image:
    """Something with edges, not square."""
    image = Image.new("RGB", (640, 480), (40, 60, 80))
    ImageDraw.Draw(image).circle((320, 240), 150, (230, 210, 60))
    return image


def transparent(shade: int) -> Image.Image:
    """Lines of that shade on nothing, under which lie other colours."""
    image = Image.new("RGBA", (640, 480), (200, 30, 30, 0))
    ImageDraw.Draw(image).circle((320, 240), 150, fill=None, outline=(shade, shade, shade, 255), width=9)
    return image


TRANSPARENT = {31: transparent(20), 32: transparent(240), 33: transparent(20)}
"""What the files of the requests with these seeds hold."""


def requests() -> Iterator[Request]:
    quotes = 'a "fox"\'s \\ house\non blue'
    yield text(steps=1, seed=5, width=160, height=96)
    yield text(prompt=quotes, seed=6, tiny_vae=True)
    for seed, base in enumerate(FAMILY.bases, 10):
        yield lora(base=base, lora_scale=0.65, seed=seed)
    yield text(seed=20, style="pixel", style_scale=0.7, style_2="line")
    yield canny(drawing(), seed=8, low_threshold=220, high_threshold=110, conditioning_scale=0.9, guided_steps=3)
    yield canny(drawing().convert("L").point(lambda v: 255 * (v > 99)).convert("RGB"), seed=9, is_edge_map=True)
    yield canny(rgb(TRANSPARENT[31]), seed=31, is_edge_map=True)  # dark on light
    yield canny(rgb(TRANSPARENT[32]), seed=32)
    yield image_to_image(rgb(TRANSPARENT[33]), seed=33)
    yield canny(drawing(), seed=21, style="line")
    yield image_to_image(drawing(), prompt="a lion", seed=15, strength=0.75)
    yield image_to_image(drawing(), seed=22, style="pixel")
    yield text(prompt=r"a cat \(small\), {literally}", seed=16, plain_prompt=True)


_RUN_EACH = """
import os, runpy, sys
for folder in sys.argv[1:]:
    os.chdir(folder)
    runpy.run_path("made.py")
"""


def test_the_programs_make_the_very_pictures(setup: EmbeddedRuntime, tmp_path: Path) -> None:
    asked = list(requests())
    folders = [tmp_path / str(request.seed) for request in asked]
    for request, folder in zip(asked, folders, strict=True):
        folder.mkdir()
        # Where the repository's files are, and what the program writes is not.
        (folder / "dmd2_demo").symlink_to(ROOT / "dmd2_demo")
        if isinstance(request, CannyGuided | ImageToImage):
            TRANSPARENT.get(request.seed, request.image).save(folder / INPUT)
        (folder / "made.py").write_text(program(request))
    # One process for all: what takes its time are the imports.
    subprocess.run([sys.executable, "-c", _RUN_EACH, *folders], check=True, timeout=500)
    for request, folder in zip(asked, folders, strict=True):
        with Image.open(folder / f"{request.seed}.png") as made:
            # A LoRA is rounded once here, and at each product there.
            most = 1 if request.spec().loras else 0
            difference = ImageChops.difference(made, setup.make(request))
            assert int(np.asarray(difference).max()) <= most, program(request)


@pytest.mark.parametrize("prompt", ["a (cat:1.2)", "a cat BREAK a dog", "a fox on a blue background " * 20])
def test_what_plain_diffusers_reads_otherwise_is_refused(prompt: str) -> None:
    with pytest.raises(DemoError, match="Plain diffusers reads"):
        program(text(prompt=prompt))


def test_published_files_are_named_by_their_repositories() -> None:
    told = program(TextToImage(family=FAMILIES["sdxl"], prompt="a cat", seed=1))
    assert "hf_hub_download('tianweiy/DMD2', 'dmd2_sdxl_4step_unet_fp16.safetensors')" in told
    assert "'stabilityai/stable-diffusion-xl-base-1.0'" in told
    assert "vae = AutoencoderKL.from_pretrained('madebyollin/sdxl-vae-fp16-fix', dtype=dtype)" in told
    compile(told, "program", "exec")


def test_large_pictures_are_taken_in_tiles_as_on_the_page() -> None:
    large = TextToImage(family=FAMILIES["sdxl"], prompt="a cat", seed=1, width=2048, height=1024)
    assert "vae.enable_tiling()" in program(large)
    assert "vae.enable_tiling()" not in program(replace(large, width=1536))


@pytest.mark.parametrize(("name", "variant"), [("model.fp16", "fp16"), ("model.bf16-00001-of-00002", "bf16")])
def test_the_variant_is_the_one_that_the_page_has(name: str, variant: str) -> None:
    mine = CommunityBase("mine", "Mine", HubRepo("owner/mine"), FAMILY.licence)
    used = [f"owner/mine/unet/diffusion_pytorch_{name}.safetensors"]
    assert f"'owner/mine', variant=\"{variant}\", vae=vae" in program(lora(base=mine), used)
    plain = ["owner/mine/unet/diffusion_pytorch_model.safetensors"]
    assert "'owner/mine', vae=vae" in program(lora(base=mine), plain)
    mixed = [*plain, "owner/mine/text_encoder/model.fp16.safetensors"]
    assert "'owner/mine', variant=\"fp16\", vae=vae" in program(lora(base=mine), mixed)


def test_revisions_are_told() -> None:
    mine = CommunityBase("mine", "Mine", HubRepo("owner/mine", "v2"), FAMILY.licence)
    style = StyleLora("s", "S", File(HubRepo("owner/style", "v3"), "s.safetensors"), FAMILY.licence, ())
    told = program(lora(base=mine, style=style))
    assert "'owner/mine', revision='v2'" in told
    assert "hf_hub_download('owner/style', 's.safetensors', revision='v3')" in told
    compile(told, "program", "exec")


def test_no_path_of_this_disk_is_told(tmp_path: Path) -> None:
    mine = CommunityBase("mine", "Mine", Folder(tmp_path / "secret" / "mine"), FAMILY.licence)
    told = program(lora(base=mine))
    assert str(tmp_path) not in told
    assert "secret" not in told
    assert "'path/to/mine'" in told
