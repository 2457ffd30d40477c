"""What only a GPU can show of loading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from dmd2_demo.hub.hub import Hub
from dmd2_demo.models.parts import Adapter, Lora, Part, Pristine, TextEncoders, UNet, Vae
from dmd2_demo.models.sources import File, Folder, SingleFile
from dmd2_demo.weights.loader import PartLoader
from tests.same import assert_same
from tests.tiny import TinyFamily

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
GPU, CPU = torch.device("cuda"), torch.device("cpu")
LORA = "dmd2_sdxl_4step_lora_fp16.safetensors"


def loader(cache: Path, device: torch.device) -> PartLoader:
    return PartLoader(Hub(cache), device, torch.float16, cache / "converted")


def test_modules_are_the_same_as_on_the_cpu(family: TinyFamily, cache: Path) -> None:
    base, single = Folder(family.base), SingleFile(family.single_file, Folder(family.base))
    parts: tuple[Part, ...] = (
        UNet(base, File(Folder(family.dmd2), "dmd2_sdxl_1step_unet_fp16.bin")),
        UNet(single),
        Vae(base),
        Adapter(Folder(family.adapter)),
    )
    for part in parts:
        ours: Any
        (ours,) = loader(cache, GPU).load(part).networks
        assert ours.device.type == "cuda"
        assert_same(ours.cpu(), loader(cache, CPU).load(part).module)
    for source in (base, single):
        on_gpu, on_cpu = (loader(cache, device).load(TextEncoders(source)).module for device in (GPU, CPU))
        assert on_gpu.text_encoder.device.type == "cuda"
        assert_same(on_gpu.text_encoder.cpu(), on_cpu.text_encoder)
        assert_same(on_gpu.text_encoder_2.cpu(), on_cpu.text_encoder_2)


def test_lora_takes_no_more_of_the_gpu_than_its_unet(family: TinyFamily, cache: Path) -> None:
    unet, lora = UNet(Folder(family.base)), Lora(File(Folder(family.dmd2), LORA), Folder(family.base))
    on_gpu = loader(cache, GPU)
    assert on_gpu.fetch(lora) == on_gpu.fetch(Pristine(unet)) == 0
    ours, theirs = (
        (one.load(unet).module, one.load(Pristine(unet)).module, one.load(lora).module)
        for one in (on_gpu, loader(cache, CPU))
    )
    held = torch.cuda.memory_allocated()
    for scale in (1.0, 0.3):
        for mergeable, pristine, loaded in (ours, theirs):
            mergeable.merge([(loaded.unet, scale)], pristine)
        expected = theirs[0].network.state_dict()
        for name, tensor in ours[0].network.state_dict().items():
            torch.testing.assert_close(tensor.cpu(), expected[name], rtol=2e-3, atol=1e-7)
    assert torch.cuda.memory_allocated() <= held
    ours[0].merge([])
    assert_same(ours[0].network.cpu(), loader(cache, CPU).load(unet).module)
