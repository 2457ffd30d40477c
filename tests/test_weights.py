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
from torch import nn
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from dmd2_demo.errors import DemoError
from dmd2_demo.hub import Hub
from dmd2_demo.parts import Adapter, LoraUNet, Part, Scheduler, TextEncoders, UNet, Vae
from dmd2_demo.progress import Progress
from dmd2_demo.sources import File, Folder, SingleFile
from dmd2_demo.weights import Weights, sizeof
from tests.tiny import TinyFamily, make_unet

CPU = torch.device("cpu")
FOUR, ONE = "dmd2_sdxl_4step_unet_fp16.safetensors", "dmd2_sdxl_1step_unet_fp16.bin"
LORA = "dmd2_sdxl_4step_lora_fp16.safetensors"


@pytest.fixture
def loader(cache: Path) -> Weights:
    return Weights(Hub(cache), CPU, torch.float32, cache=cache / "converted")


def assert_same(ours: nn.Module, theirs: nn.Module) -> None:
    """The same weights and buffers to the bit, and ready to be used."""
    one, two = ours.state_dict(), theirs.state_dict()
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) and one[name].dtype == two[name].dtype for name in one)
    buffers = dict(theirs.named_buffers())
    assert all(torch.equal(buffer, buffers[name]) for name, buffer in ours.named_buffers())
    assert not ours.training
    assert not any(parameter.requires_grad for parameter in ours.parameters())


def recipe_unet(family: TinyFamily, name: str) -> Any:
    """As the model card does it, in float32."""
    unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(family.base, subfolder="unet"))
    path = family.dmd2 / name
    if path.suffix == ".bin":
        unet.load_state_dict(torch.load(path, weights_only=True))
    else:
        unet.load_state_dict(load_file(path))
    return unet.eval()


@pytest.mark.parametrize("name", [FOUR, ONE])
def test_distilled_unet(loader: Weights, family: TinyFamily, name: str) -> None:
    part = UNet(Folder(family.base), File(Folder(family.dmd2), name))
    assert_same(loader.load(part), recipe_unet(family, name))


def test_unet_of_a_base(loader: Weights, family: TinyFamily) -> None:
    theirs = UNet2DConditionModel.from_pretrained(family.base, subfolder="unet", variant="fp16").float()
    assert_same(loader.load(UNet(Folder(family.base))), theirs)


def test_unet_in_several_files(loader: Weights, family: TinyFamily, tmp_path: Path) -> None:
    shutil.copytree(family.base, tmp_path / "base")
    shutil.rmtree(tmp_path / "base" / "unet")
    unet = UNet2DConditionModel.from_pretrained(family.base, subfolder="unet", variant="fp16").float()
    unet.save_pretrained(tmp_path / "base" / "unet", max_shard_size="300KB")
    part = UNet(Folder(tmp_path / "base"))
    assert loader.fetch(part) == sizeof(unet)
    assert_same(loader.load(part), unet.eval())


@pytest.mark.parametrize("index", ["{}", "[]", "<html>", '{"weight_map": {"a": "../secret.safetensors"}}'])
def test_index_of_nothing_is_told(loader: Weights, family: TinyFamily, tmp_path: Path, index: str) -> None:
    shutil.copytree(family.base / "vae", tmp_path / "vae")
    (tmp_path / "vae" / "diffusion_pytorch_model.fp16.safetensors").unlink()
    (tmp_path / "vae" / "diffusion_pytorch_model.safetensors.index.json").write_text(index)
    with pytest.raises(DemoError, match="is no index of weights"):
        loader.load(Vae(Folder(tmp_path)))


def test_vae(loader: Weights, family: TinyFamily) -> None:
    theirs = AutoencoderKL.from_pretrained(family.base, subfolder="vae", variant="fp16").float()
    assert_same(loader.load(Vae(Folder(family.base))), theirs)
    assert_same(loader.load(Vae(Folder(family.base / "vae"), folder="")), theirs)


def test_adapter(loader: Weights, family: TinyFamily) -> None:
    theirs = T2IAdapter.from_pretrained(family.adapter, variant="fp16").float()
    assert_same(loader.load(Adapter(Folder(family.adapter))), theirs)


def test_text_encoders(loader: Weights, family: TinyFamily) -> None:
    loaded = loader.load(TextEncoders(Folder(family.base)))
    for kind, name in ((CLIPTextModel, "text_encoder"), (CLIPTextModelWithProjection, "text_encoder_2")):
        theirs = kind.from_pretrained(family.base / name, variant="fp16", dtype=torch.float32)
        assert_same(getattr(loaded, name), theirs)
    for name in ("tokenizer", "tokenizer_2"):
        tokenizer = CLIPTokenizer.from_pretrained(family.base / name)
        text = {"padding": "max_length", "max_length": 77}
        assert getattr(loaded, name)("a fox!", **text) == tokenizer("a fox!", **text)


def test_scheduler(loader: Weights, family: TinyFamily) -> None:
    pipe = StableDiffusionXLPipeline.from_pretrained(family.base, variant="fp16")
    theirs = LCMScheduler.from_config(pipe.scheduler.config)
    ours = loader.load(Scheduler(Folder(family.base)))
    assert isinstance(ours, LCMScheduler)
    assert dict(ours.config) == dict(theirs.config)


@pytest.mark.parametrize("scale", [0.0, 0.75, 1.0])
def test_lora_fits_what_diffusers_fuses(loader: Weights, family: TinyFamily, scale: float) -> None:
    pipe = StableDiffusionXLPipeline.from_pretrained(family.base, variant="fp16").to(torch.float32)
    pipe.load_lora_weights(family.dmd2 / LORA)
    pipe.fuse_lora(lora_scale=scale)
    pipe.unload_lora_weights()
    ours = loader.load(LoraUNet(UNet(Folder(family.base)), File(Folder(family.dmd2), LORA)))
    ours.set_scale(scale)
    theirs = pipe.unet.state_dict()
    assert ours.unet.state_dict().keys() == theirs.keys()
    for name, tensor in ours.unet.state_dict().items():
        torch.testing.assert_close(tensor, theirs[name], rtol=1e-5, atol=1e-6)


def test_moving_the_scale_reads_nothing(loader: Weights, family: TinyFamily, tmp_path: Path) -> None:
    copied = tmp_path / "family"
    shutil.copytree(family.base.parent, copied)
    ours = loader.load(LoraUNet(UNet(Folder(copied / "base")), File(Folder(copied / "dmd2"), LORA)))
    shutil.rmtree(copied)
    for scale in (1.0, 0.5, 0.0):
        ours.set_scale(scale)
    theirs = UNet2DConditionModel.from_pretrained(family.base, subfolder="unet", variant="fp16").float()
    assert_same(ours.unet, theirs)


def test_single_file(loader: Weights, family: TinyFamily) -> None:
    pipe = StableDiffusionXLPipeline.from_single_file(
        str(family.single_file), config=str(family.base), torch_dtype=torch.float32, local_files_only=True
    )
    source = SingleFile(family.single_file, Folder(family.base))
    assert_same(loader.load(UNet(source)), pipe.unet)
    loaded = loader.load(TextEncoders(source))
    assert_same(loaded.text_encoder, pipe.text_encoder)
    assert_same(loaded.text_encoder_2, pipe.text_encoder_2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_fetch_foretells_the_size(family: TinyFamily, cache: Path, dtype: torch.dtype) -> None:
    loader = Weights(Hub(cache), CPU, dtype)
    base = Folder(family.base)
    unet = UNet(base, File(Folder(family.dmd2), FOUR))
    parts: tuple[Part, ...] = (unet, Vae(base), Adapter(Folder(family.adapter)), Scheduler(base), TextEncoders(base))
    for part in (*parts, LoraUNet(unet, File(Folder(family.dmd2), LORA))):
        foretold, loaded = loader.fetch(part), loader.load(part)
        assert foretold == pytest.approx(sizeof(loaded), rel=0.1), part
    assert all(parameter.dtype == dtype for parameter in loader.load(unet).parameters())


def test_single_file_counts_each_part_alone(loader: Weights, family: TinyFamily) -> None:
    source = SingleFile(family.single_file, Folder(family.base))
    for part in (UNet(source), TextEncoders(source)):
        assert loader.fetch(part) == pytest.approx(sizeof(loader.load(part)), rel=0.05), part


@pytest.mark.parametrize(
    ("part", "absent"),
    [
        (UNet, "model.diffusion_model.middle_block.0.in_layers.2.weight"),
        (UNet, "model.diffusion_model.label_emb.0.0.weight"),
        (TextEncoders, "conditioner.embedders.0.transformer.text_model.encoder.layers.1.mlp.fc1.weight"),
        (TextEncoders, "conditioner.embedders.1.model.transformer.resblocks.0.mlp.c_fc.weight"),
        (TextEncoders, "conditioner.embedders.1.model.positional_embedding"),
    ],
)
def test_single_file_without_a_weight_is_told(
    loader: Weights, family: TinyFamily, tmp_path: Path, part: type[UNet | TextEncoders], absent: str
) -> None:
    whole = load_file(family.single_file)
    del whole[absent]
    save_file(whole, tmp_path / "cut.safetensors")
    with pytest.raises(DemoError, match=r"^cut\.safetensors (.* [mM]issing|holds no text_encoder_2)"):
        loader.load(part(SingleFile(tmp_path / "cut.safetensors", Folder(family.base))))


def test_what_is_no_base_is_refused_before_it_is_fetched(loader: Weights, family: TinyFamily, tmp_path: Path) -> None:
    shutil.copytree(family.base, tmp_path / "inpainting")
    config = tmp_path / "inpainting" / "unet" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"in_channels": 9}))
    source = Folder(tmp_path / "inpainting")
    lora = LoraUNet(UNet(source), File(Folder(family.dmd2), LORA))
    for part in (UNet(source), TextEncoders(source), lora):
        with pytest.raises(DemoError, match=r"^inpainting can't be a base here: it is an inpainting model"):
            loader.fetch(part)


def test_lora_for_another_model_is_refused_before_the_base_is_fetched(
    loader: Weights, family: TinyFamily, tmp_path: Path
) -> None:
    shutil.copytree(family.base, tmp_path / "wide")
    (tmp_path / "wide" / "unet" / "diffusion_pytorch_model.fp16.safetensors").unlink()
    make_unet(block_out_channels=(16, 48)).save_config(tmp_path / "wide" / "unet")
    part = LoraUNet(UNet(Folder(tmp_path / "wide")), File(Folder(family.dmd2), LORA))
    with pytest.raises(DemoError, match=r"^This LoRA does not fit the base's UNet: lora_unet_down_blocks_1_"):
        loader.fetch(part)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("unet/config.json", "<html>"),
        ("unet/config.json", '{"block_out_channels": "many"}'),
        ("text_encoder/config.json", "[]"),
        ("text_encoder/config.json", '{"hidden_size": 3}'),
        ("text_encoder_2/config.json", '{"architectures": ["CLIPTextModelWithProjection"], "hidden_size": 64}'),
        ("tokenizer/tokenizer_config.json", "<html>"),
        ("vae/config.json", '{"down_block_types": ["NoSuchBlock"]}'),
    ],
)
def test_nonsense_in_a_config_is_told(
    loader: Weights, family: TinyFamily, tmp_path: Path, name: str, content: str
) -> None:
    shutil.copytree(family.base, tmp_path / "base")
    (tmp_path / "base" / name).write_text(content)
    source = Folder(tmp_path / "base")
    part = {"unet": UNet(source), "vae": Vae(source)}.get(name.partition("/")[0], TextEncoders(source))
    with pytest.raises(DemoError, match=rf"{name} describes nothing|does not fit") as raised:
        loader.load(part)
    assert "\n" not in str(raised.value)


def test_loading_is_told(loader: Weights, family: TinyFamily) -> None:
    told: list[Progress] = []
    loader.load(Vae(Folder(family.base)), told.append)
    assert [progress.sentence for progress in told] == ["Loading the VAE"]


def test_weights_of_another_shape_are_told(loader: Weights, family: TinyFamily, tmp_path: Path) -> None:
    make_unet(block_out_channels=(16, 48)).save_pretrained(tmp_path)
    part = UNet(Folder(family.base), File(Folder(tmp_path), "diffusion_pytorch_model.safetensors"))
    with pytest.raises(DemoError, match=r"does not fit this model: size mismatch for"):
        loader.load(part)
