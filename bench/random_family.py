"""The `sdxl` family with random weights, on disk under its published file names."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from diffusers import AutoencoderKL, AutoencoderTiny, T2IAdapter
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from bench import random_weights
from dmd2_demo.models.catalogue import FAMILIES, SDXL_CONFIGS
from dmd2_demo.models.family import Family, Sizes
from dmd2_demo.models.parts import Adapter, TinyVae, Vae
from dmd2_demo.models.sources import File, Folder
from dmd2_demo.weights.modules import unet_without_weights

Config = dict[str, Any]

FOLDERS = ("base", "dmd2", "adapter", "tiny")

_RANK = 64
CANNY_ADAPTER: Config = {
    "_class_name": "T2IAdapter",
    "adapter_type": "full_adapter_xl",
    "channels": [320, 640, 1280, 1280],
    "downscale_factor": 16,
    "in_channels": 3,
    "num_res_blocks": 2,
}
_NOT_IN_THE_LORA = ("conv_in", "conv_out", "conv_norm_out", "time_embedding", "add_embedding")


@dataclass(frozen=True)
class Shape:
    """How the published configs are changed, by folder, and which size of pictures is made."""

    configs: dict[str, Config]
    size: tuple[int, int]


FULL = Shape({"vae": {"force_upcast": False}}, (1024, 1024))  # the fp16-fix VAE has SDXL's shapes

SMALL = Shape(
    {
        "unet": {
            "block_out_channels": [32, 64, 128],
            "attention_head_dim": [1, 2, 4],
            "transformer_layers_per_block": [1, 1, 1],
            "cross_attention_dim": 64,
            "addition_time_embed_dim": 8,
            "projection_class_embeddings_input_dim": 80,
        },
        "vae": {"force_upcast": False, "block_out_channels": [32, 32, 32, 32], "layers_per_block": 1},
        "text_encoder": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64},
        "text_encoder_2": {
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 64,
            "projection_dim": 32,
        },
        "adapter": {"channels": [32, 64, 128, 128]},
    },
    (256, 256),
)


def write(root: Path, shape: Shape) -> Family:
    """Writes the family under `root`: 17 GB at full size. The base's UNet is the 4-step one where links work."""
    base, dmd2, adapter, tiny = (root / name for name in FOLDERS)
    shutil.copytree(SDXL_CONFIGS.path, base)
    adapter.mkdir()
    tiny.mkdir()
    (adapter / "config.json").write_text(json.dumps(CANNY_ADAPTER))
    for folder in ("unet", "vae", "text_encoder", "text_encoder_2"):
        _change(base / folder / "config.json", shape.configs.get(folder, {}))
    _change(adapter / "config.json", shape.configs.get("adapter", {}))

    _write(_empty(AutoencoderKL.from_config, base / "vae"), base / "vae" / "diffusion_pytorch_model.fp16.safetensors")
    _write(_empty(_encoder, base / "text_encoder"), base / "text_encoder" / "model.fp16.safetensors")
    _write(_empty(_encoder_2, base / "text_encoder_2"), base / "text_encoder_2" / "model.fp16.safetensors")
    _write(_empty(T2IAdapter.from_config, adapter), adapter / "diffusion_pytorch_model.fp16.safetensors")
    (tiny / "config.json").write_text(json.dumps({"_class_name": "AutoencoderTiny"}))  # its defaults are taesdxl's
    _write(_empty(AutoencoderTiny.from_config, tiny), tiny / "diffusion_pytorch_model.safetensors")
    dmd2.mkdir()
    _write_unets(base / "unet", dmd2)
    return written(root, shape)


def written(root: Path, shape: Shape) -> Family:
    """The family that was written under `root`."""
    published = FAMILIES["sdxl"]
    base, dmd2, adapter, tiny = (root / name for name in FOLDERS)
    source = Folder(dmd2)
    return replace(
        published,
        base=Folder(base),
        vae=Vae(Folder(base)),
        distilled=tuple(replace(one, weights=File(source, one.weights.name)) for one in published.distilled),
        lora=File(source, published.lora.name),
        adapter=Adapter(Folder(adapter)),
        tiny_vae=TinyVae(Folder(tiny)),
        bases=(replace(published.bases[0], source=Folder(base)),),
        sizes=Sizes((shape.size,), published.sizes.grid, min(shape.size), published.sizes.longest),
    )


def _write_unets(folder: Path, dmd2: Path) -> None:
    unet = unet_without_weights(folder / "config.json")
    four = dmd2 / "dmd2_sdxl_4step_unet_fp16.safetensors"
    _write(unet, four)
    own = folder / "diffusion_pytorch_model.fp16.safetensors"
    try:
        os.link(four, own)
    except OSError:
        shutil.copyfile(four, own)
    one = {name: random_weights.tensor(tuple(weight.shape)) for name, weight in unet.state_dict().items()}
    torch.save(one, dmd2 / "dmd2_sdxl_1step_unet_fp16.bin")
    random_weights.write(lora_shapes(unet), dmd2 / "dmd2_sdxl_4step_lora_fp16.safetensors")


def lora_shapes(unet: nn.Module) -> dict[str, tuple[int, ...]]:
    """The published LoRA's keys and shapes; its alphas, which are 8 there, come out near 1 here."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name, layer in unet.named_modules():
        if isinstance(layer, nn.Linear | nn.Conv2d) and not name.startswith(_NOT_IN_THE_LORA):
            key = "lora_unet_" + name.replace(".", "_")
            out, *rest = layer.weight.shape
            shapes[f"{key}.lora_down.weight"] = (_RANK, *rest)
            shapes[f"{key}.lora_up.weight"] = (out, _RANK, *(1 for _ in rest[1:]))
            shapes[f"{key}.alpha"] = ()
    return shapes


def _change(config: Path, changes: Config) -> None:
    config.write_text(json.dumps(json.loads(config.read_text(encoding="utf-8")) | changes, indent=2), encoding="utf-8")


def _empty(build: Callable[[Config], nn.Module], folder: Path) -> nn.Module:
    """Shapes without weights."""
    with init_empty_weights():
        return build(json.loads((folder / "config.json").read_text()))


def _encoder(config: Config) -> nn.Module:
    encoder: nn.Module = CLIPTextModel(CLIPTextConfig(**config))
    return encoder


def _encoder_2(config: Config) -> nn.Module:
    encoder: nn.Module = CLIPTextModelWithProjection(CLIPTextConfig(**config))
    return encoder


def _write(module: nn.Module, path: Path) -> None:
    random_weights.write({name: tuple(weight.shape) for name, weight in module.state_dict().items()}, path)
