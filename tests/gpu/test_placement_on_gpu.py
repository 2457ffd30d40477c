"""What only a GPU can show of placement. Not run yet: no GPU was at hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from dmd2_demo.device.attention import xformers_trouble
from dmd2_demo.device.memory import free_bytes, raising_device_full
from dmd2_demo.device.placement import choose
from dmd2_demo.device.precision import computes
from dmd2_demo.errors import Tier
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.runtime import Runtime, build_runtime
from dmd2_demo.progress import silent
from dmd2_demo.settings import Settings
from tests.embedded import FAMILY, canny, lora, text

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
GPU = torch.device("cuda")


def requests() -> list[Request]:
    drawing = Image.new("RGB", (64, 64))
    ImageDraw.Draw(drawing).circle((32, 32), 20, (255, 255, 255))
    return [text(steps=4), canny(drawing), text(steps=1), lora(lora_scale=1.0), lora(lora_scale=0.5), text(steps=4)]


def pictures(runtime: Runtime) -> list[np.ndarray]:
    made = [next(runtime.studio.generate(request, silent, lambda: False)) for request in requests()]
    assert not any(picture.notices for picture in made)
    return [np.asarray(picture.image, int) for picture in made]


@pytest.fixture(scope="module")
def resident() -> list[np.ndarray]:
    return pictures(build_runtime(FAMILY, Settings(memory="resident")))


def test_a_gpu_computes_in_half_precision() -> None:
    assert choose().dtype in {torch.float16, torch.bfloat16}
    assert computes(GPU, torch.float32)


def test_free_memory_is_told() -> None:
    before = free_bytes(GPU)
    held = torch.empty(100_000_000, dtype=torch.uint8, device=GPU)
    assert before - free_bytes(GPU) == pytest.approx(held.nbytes, rel=0.3)


def test_a_full_device_is_said() -> None:
    with pytest.raises(Exception, match="too little memory"), raising_device_full("resident"):
        torch.empty(2**50, dtype=torch.uint8, device=GPU)


@pytest.mark.parametrize("memory", ["offload", "sequential"])
def test_every_tier_makes_the_same_pictures(resident: list[np.ndarray], memory: Tier) -> None:
    for ours, theirs in zip(pictures(build_runtime(FAMILY, Settings(memory=memory))), resident, strict=True):
        assert np.abs(ours - theirs).mean() < 0.5


def test_xformers_makes_the_same_pictures(resident: list[np.ndarray]) -> None:
    trouble = xformers_trouble(GPU, torch.float16)
    if trouble:
        pytest.skip(f"xformers does not work here: {trouble}")
    runtime = build_runtime(FAMILY, Settings(attention="xformers"))
    for ours, theirs in zip(pictures(runtime), resident, strict=True):
        assert np.abs(ours - theirs).mean() < 3
    assert runtime.backend.described()["attention"] == "xformers"
