"""Loaded parts against the model card's recipe with plain diffusers on the same files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, LCMScheduler, StableDiffusionXLPipeline, T2IAdapter, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from dmd2_demo.device.host_memory import HostMemory
from dmd2_demo.errors import DemoError
from dmd2_demo.generate.pipelines import Merging
from dmd2_demo.hub.hub import Hub
from dmd2_demo.models.parts import Adapter, Lora, Part, Pristine, Scheduler, TextEncoders, UNet, Vae
from dmd2_demo.models.sources import File, Folder, SingleFile
from dmd2_demo.weights import loader as loader_module
from dmd2_demo.weights.loader import Loaded, PartLoader
from tests.same import assert_same
from tests.sizes import sizeof
from tests.tiny import TinyFamily, make_unet

CPU = torch.device("cpu")
FOUR, ONE = "dmd2_sdxl_4step_unet_fp16.safetensors", "dmd2_sdxl_1step_unet_fp16.bin"
LORA = "dmd2_sdxl_4step_lora_fp16.safetensors"


def recipe_unet(family: TinyFamily, name: str) -> Any:
    """As the model card does it, in float32."""
    unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(family.base, subfolder="unet"))
    path = family.dmd2 / name
    if path.suffix == ".bin":
        unet.load_state_dict(torch.load(path, weights_only=True))
    else:
        unet.load_state_dict(load_file(path))
    return unet.eval()


def is_mapped(tensor: torch.Tensor) -> bool:
    """Whether its memory is a file's, as Linux tells."""
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        first, last = (int(address, 16) for address in line.split(maxsplit=1)[0].split("-"))
        if first <= tensor.data_ptr() < last:
            return line.endswith(".safetensors")
    raise AssertionError


@pytest.mark.parametrize("name", [FOUR, ONE])
def test_distilled_unet(loader: PartLoader, family: TinyFamily, name: str) -> None:
    part = UNet(Folder(family.base), File(Folder(family.dmd2), name))
    assert_same(loader.load(part).module, recipe_unet(family, name))


def test_unet_of_a_base(loader: PartLoader, family: TinyFamily) -> None:
    theirs = UNet2DConditionModel.from_pretrained(family.base, subfolder="unet", variant="fp16").float()
    assert_same(loader.load(UNet(Folder(family.base))).module, theirs)


def test_unet_in_several_files(loader: PartLoader, family: TinyFamily, tmp_path: Path) -> None:
    shutil.copytree(family.base, tmp_path / "base")
    shutil.rmtree(tmp_path / "base" / "unet")
    unet = UNet2DConditionModel.from_pretrained(family.base, subfolder="unet", variant="fp16").float()
    unet.save_pretrained(tmp_path / "base" / "unet", max_shard_size="300KB")
    part = UNet(Folder(tmp_path / "base"))
    assert loader.fetch(part) == sizeof(Loaded(unet, (unet,)))
    assert_same(loader.load(part).module, unet.eval())


def test_vae(loader: PartLoader, family: TinyFamily) -> None:
    theirs = AutoencoderKL.from_pretrained(family.base, subfolder="vae", variant="fp16").float()
    assert_same(loader.load(Vae(Folder(family.base))).module, theirs)
    assert_same(loader.load(Vae(Folder(family.base / "vae"), folder="")).module, theirs)


def test_adapter(loader: PartLoader, family: TinyFamily) -> None:
    theirs = T2IAdapter.from_pretrained(family.adapter, variant="fp16").float()
    assert_same(loader.load(Adapter(Folder(family.adapter))).module, theirs)


def test_text_encoders(loader: PartLoader, family: TinyFamily) -> None:
    loaded = loader.load(TextEncoders(Folder(family.base))).module
    for kind, name in ((CLIPTextModel, "text_encoder"), (CLIPTextModelWithProjection, "text_encoder_2")):
        theirs = kind.from_pretrained(family.base / name, variant="fp16", dtype=torch.float32)
        assert_same(getattr(loaded, name), theirs)
    for name in ("tokenizer", "tokenizer_2"):
        tokenizer = CLIPTokenizer.from_pretrained(family.base / name)
        text = {"padding": "max_length", "max_length": 77}
        assert getattr(loaded, name)("a fox!", **text) == tokenizer("a fox!", **text)


def test_text_encoder_with_the_published_names(loader: PartLoader, family: TinyFamily, tmp_path: Path) -> None:
    shutil.copytree(family.base, tmp_path / "base")
    stored = tmp_path / "base" / "text_encoder" / "model.fp16.safetensors"
    published = {f"text_model.{name}": tensor for name, tensor in load_file(stored).items()}
    published["text_model.embeddings.position_ids"] = torch.arange(77).unsqueeze(0)
    save_file(published, stored, metadata={"format": "pt"})
    ours = loader.load(TextEncoders(Folder(tmp_path / "base"))).module
    assert_same(ours.text_encoder, loader.load(TextEncoders(Folder(family.base))).module.text_encoder)


def test_scheduler(loader: PartLoader, family: TinyFamily) -> None:
    pipe = StableDiffusionXLPipeline.from_pretrained(family.base, variant="fp16")
    theirs = LCMScheduler.from_config(pipe.scheduler.config)
    ours = loader.load(Scheduler()).module
    assert isinstance(ours, LCMScheduler)
    assert torch.equal(ours.alphas_cumprod, theirs.alphas_cumprod)
    for name in ("prediction_type", "clip_sample", "thresholding", "steps_offset", "timestep_spacing"):
        assert ours.config[name] == theirs.config[name], name


def merging(loader: PartLoader, unet: UNet, lora: File) -> Merging:
    """What a pipeline merges the LoRA by."""
    mergeable, pristine = loader.load(unet).module, loader.load(Pristine(unet)).module
    encoders = loader.load(TextEncoders(unet.source)).module.merging
    return Merging(mergeable, encoders, (loader.load(Lora(lora, unet.source)).module,), pristine)


@pytest.mark.parametrize("scale", [0.0, 0.75, 1.0])
def test_lora_fits_what_diffusers_fuses(loader: PartLoader, family: TinyFamily, scale: float) -> None:
    pipe = StableDiffusionXLPipeline.from_pretrained(family.base, variant="fp16").to(torch.float32)
    pipe.load_lora_weights(family.dmd2 / LORA)
    pipe.fuse_lora(lora_scale=scale)
    pipe.unload_lora_weights()
    ours = merging(loader, UNet(Folder(family.base)), File(Folder(family.dmd2), LORA))
    ours.at([scale])
    theirs = pipe.unet.state_dict()
    assert ours.unet.network.state_dict().keys() == theirs.keys()
    for name, tensor in ours.unet.network.state_dict().items():
        torch.testing.assert_close(tensor, theirs[name], rtol=1e-5, atol=1e-6)


def test_files_that_are_used_as_they_are_stay_as_they_were(family: TinyFamily, cache: Path, tmp_path: Path) -> None:
    shutil.copytree(family.base, tmp_path / "base")
    stored = tmp_path / "base" / "unet" / "diffusion_pytorch_model.fp16.safetensors"
    before = stored.read_bytes()
    in_half = PartLoader(Hub(cache), CPU, torch.float16)
    ours = merging(in_half, UNet(Folder(tmp_path / "base")), File(Folder(family.dmd2), LORA))
    ours.at([1.0])
    assert stored.read_bytes() == before
    stored.unlink()
    ours.at([0.0])
    assert_same(ours.unet, in_half.load(UNet(Folder(family.base))).module)


def test_moving_the_scale_reads_nothing(loader: PartLoader, family: TinyFamily, tmp_path: Path) -> None:
    copied = tmp_path / "family"
    shutil.copytree(family.base.parent, copied)
    ours = merging(loader, UNet(Folder(copied / "base")), File(Folder(copied / "dmd2"), LORA))
    shutil.rmtree(copied)
    for scale in (1.0, 0.5, 0.0):
        ours.at([scale])
    theirs = UNet2DConditionModel.from_pretrained(family.base, subfolder="unet", variant="fp16").float()
    assert_same(ours.unet, theirs)


@pytest.mark.parametrize("total", [10**12, 1])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_weights_to_merge_from_stay_in_their_files_type_and_where_memory_is_short_in_the_file(
    family: TinyFamily, cache: Path, dtype: torch.dtype, total: int
) -> None:
    loader = PartLoader(Hub(cache), CPU, dtype, host=lambda: HostMemory(total, total))
    for unet in (
        UNet(Folder(family.base)),
        UNet(Folder(family.base), File(Folder(family.dmd2), ONE)),
        UNet(SingleFile(family.single_file, Folder(family.base))),
    ):
        foretold, pristine = loader.fetch(Pristine(unet)), loader.load(Pristine(unet)).module
        bare = loader.load(unet).module
        mapped = [is_mapped(tensor) for tensor in pristine.values()]
        assert {tensor.dtype for tensor in pristine.values()} == {torch.float16}
        assert set(mapped) == {total == 1}
        held = sum(tensor.nbytes for tensor in pristine.values()) if total > 1 else 0
        assert foretold == pytest.approx(held, rel=0.05)
        ours = merging(loader, unet, File(Folder(family.dmd2), LORA))
        for scale in (1.0, 0.0):
            ours.at([scale])
        assert_same(ours.unet, bare)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_fetch_foretells_the_size(family: TinyFamily, cache: Path, dtype: torch.dtype) -> None:
    loader = PartLoader(Hub(cache), CPU, dtype)
    base = Folder(family.base)
    unet = UNet(base, File(Folder(family.dmd2), FOUR))
    parts: tuple[Part, ...] = (unet, Vae(base), Adapter(Folder(family.adapter)), Scheduler(), TextEncoders(base))
    for part in (*parts, Pristine(unet), Lora(File(Folder(family.dmd2), LORA), base)):
        foretold, loaded = loader.fetch(part), loader.load(part)
        # A LoRA's file has a long header.
        assert foretold == pytest.approx(sizeof(loaded), rel=0.5 if isinstance(part, Lora) else 0.1), part
    assert all(parameter.dtype == dtype for parameter in loader.load(unet).networks[0].parameters())


def test_what_is_no_base_is_refused_before_it_is_fetched(
    loader: PartLoader, family: TinyFamily, tmp_path: Path
) -> None:
    shutil.copytree(family.base, tmp_path / "inpainting")
    config = tmp_path / "inpainting" / "unet" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"in_channels": 9}))
    source = Folder(tmp_path / "inpainting")
    lora = Lora(File(Folder(family.dmd2), LORA), source)
    for part in (UNet(source), TextEncoders(source), lora):
        with pytest.raises(DemoError, match=r"^inpainting can't be a base here: it is an inpainting model"):
            loader.fetch(part)


def test_lora_for_another_model_is_refused_before_the_base_is_fetched(
    loader: PartLoader, family: TinyFamily, tmp_path: Path
) -> None:
    shutil.copytree(family.base, tmp_path / "wide")
    (tmp_path / "wide" / "unet" / "diffusion_pytorch_model.fp16.safetensors").write_bytes(b"not read")
    make_unet(block_out_channels=(16, 48)).save_config(tmp_path / "wide" / "unet")
    part = Lora(File(Folder(family.dmd2), LORA), Folder(tmp_path / "wide"))
    with pytest.raises(DemoError, match=r"This LoRA does not fit the base's UNet: down_blocks.1.\S+ has another shape"):
        loader.fetch(part)


def test_more_than_a_base_can_be_is_refused_before_it_is_loaded(
    loader: PartLoader, family: TinyFamily, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader_module, "_most_numbers", lambda part: 1000)
    for part in (UNet(Folder(family.base)), TextEncoders(Folder(family.base))):
        with pytest.raises(DemoError, match=rf"The {part.title} of .* would take .*: more than SDXL's\.$"):
            loader.fetch(part)
