"""What only a GPU can show of placement. Not run yet: no GPU was at hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers.models.attention_processor import XFormersAttnProcessor
from PIL import Image, ImageDraw

from dmd2_demo.device.attention import Attention, xformers_trouble
from dmd2_demo.device.memory import Memory, free_bytes, raising_device_full
from dmd2_demo.device.placement import Placement, choose
from dmd2_demo.device.precision import computes
from dmd2_demo.errors import Tier
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.runtime import Runtime, build_runtime
from dmd2_demo.progress import silent
from dmd2_demo.settings import Settings
from tests.embedded import FAMILY, canny, image_to_image, lora, text
from tests.tiny import WIDTHS, make_unet

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
    def free(device: torch.device) -> int:
        # These models are small: nothing would ever leave the GPU for want of memory.
        return 0 if device.type == "cuda" else free_bytes(device)

    def without_room() -> Placement:
        return replace(choose(memory), memory=Memory(GPU, memory, free=free))

    before = torch.cuda.memory_allocated()
    runtime = build_runtime(FAMILY, Settings(memory=memory), choose=without_room)
    for ours, theirs in zip(pictures(runtime), resident, strict=True):
        assert np.abs(ours - theirs).mean() < 0.5
    weights = sum(size for _, size in runtime.manager.status().resident)
    assert torch.cuda.memory_allocated() - before < weights / 2


def test_a_picture_is_the_same_after_one_that_began_at_a_picture() -> None:
    studio = build_runtime(FAMILY, Settings(memory="resident")).studio

    def made(request: Request) -> bytes:
        return next(studio.generate(request, silent, lambda: False)).image.tobytes()

    before = made(text(steps=4))
    made(image_to_image(Image.new("RGB", (128, 128), "teal")))
    assert made(text(steps=4)) == before


def test_xformers_makes_the_same_pictures() -> None:
    trouble = xformers_trouble(GPU, torch.float16)
    if trouble:
        pytest.skip(f"xformers does not work here: {trouble}")
    # The embedded family's heads are too narrow for it; these are as wide as SDXL's.
    unet = make_unet(block_out_channels=(64, 128), attention_head_dim=(1, 2)).to(GPU, torch.float16)
    latents, words = torch.randn(1, 4, 8, 8).to(unet.device, unet.dtype), torch.randn(1, 16, sum(WIDTHS))
    added = {"text_embeds": torch.randn(1, WIDTHS[1]), "time_ids": torch.zeros(1, 6)}
    added = {name: tensor.to(unet.device, unet.dtype) for name, tensor in added.items()}

    def computed() -> torch.Tensor:
        with torch.no_grad():
            made: torch.Tensor = unet(latents, 999, words.to(unet.device, unet.dtype), added_cond_kwargs=added).sample
        return made

    theirs = computed()
    Attention("xformers").place(unet)
    assert any(isinstance(one, XFormersAttnProcessor) for one in unet.attn_processors.values())
    torch.testing.assert_close(computed(), theirs, rtol=0.02, atol=0.02)


def test_where_heads_are_too_narrow_for_xformers_pictures_are_made_all_the_same(resident: list[np.ndarray]) -> None:
    for ours, theirs in zip(pictures(build_runtime(FAMILY, Settings(attention="xformers"))), resident, strict=True):
        assert np.abs(ours - theirs).mean() < 0.5
