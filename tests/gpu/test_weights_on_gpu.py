"""What only a GPU can show of loading."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dmd2_demo.hub.hub import Hub
from dmd2_demo.models.parts import Adapter, LoraUNet, Part, TextEncoders, UNet, Vae
from dmd2_demo.models.sources import File, Folder, SingleFile
from dmd2_demo.weights.loader import PartLoader
from tests.same import assert_same
from tests.sizes import sizeof
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
        ours = loader(cache, GPU).load(part).module
        assert ours.device.type == "cuda"
        assert_same(ours.cpu(), loader(cache, CPU).load(part).module)
    for source in (base, single):
        on_gpu, on_cpu = (loader(cache, device).load(TextEncoders(source)).module for device in (GPU, CPU))
        assert on_gpu.text_encoder.device.type == "cuda"
        assert_same(on_gpu.text_encoder.cpu(), on_cpu.text_encoder)
        assert_same(on_gpu.text_encoder_2.cpu(), on_cpu.text_encoder_2)


def test_lora_takes_no_more_of_the_gpu_than_its_unet(family: TinyFamily, cache: Path) -> None:
    part = LoraUNet(UNet(Folder(family.base)), File(Folder(family.dmd2), LORA))
    on_gpu = loader(cache, GPU)
    loaded = on_gpu.load(part)
    assert sizeof(loaded) == on_gpu.fetch(part) == sizeof(loader(cache, CPU).load(part.unet))
    for scale in (1.0, 0.3):
        loaded.module.set_scale(scale)
        expected = loader(cache, CPU).load(part).module
        expected.set_scale(scale)
        for name, tensor in loaded.module.unet.state_dict().items():
            torch.testing.assert_close(tensor.cpu(), expected.unet.state_dict()[name], rtol=2e-3, atol=1e-7)
    loaded.module.set_scale(0.0)
    assert_same(loaded.module.unet.cpu(), loader(cache, CPU).load(part.unet).module)
