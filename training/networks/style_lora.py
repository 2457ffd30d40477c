"""Style LoRAs in two of the forms that they are published in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionXLPipeline, UNet2DConditionModel
from peft import LoraConfig
from safetensors.torch import save_file
from torch import nn

from training.networks.original_names import unet_key

_ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
_BLOCKS = (*_ATTENTION, "ff.net.0.proj", "ff.net.2", "conv1", "conv2")
_WORDS = ("q_proj", "k_proj", "v_proj", "out_proj")

KOHYA = LoraConfig(r=6, lora_alpha=3, target_modules=list(_BLOCKS))
"""Half of its own strength, as trainers suggest; convolutions too, as LoCon has them."""

PEFT = LoraConfig(r=6, lora_alpha=6, target_modules=list(_BLOCKS))
WORDS = LoraConfig(r=4, lora_alpha=4, target_modules=list(_WORDS))
"""Of both text encoders."""

_NAME = "style"


def add(module: Any, config: LoraConfig) -> list[nn.Parameter]:
    """Adds a LoRA that changes nothing yet to a model; gives its weights, which alone are trainable."""
    module.requires_grad_(False)
    module.add_adapter(config, adapter_name=_NAME)
    return [value for value in module.parameters() if value.requires_grad]


def weights(module: nn.Module) -> dict[str, torch.Tensor]:
    """A LoRA's weights under PEFT's names, in half precision."""
    return {
        name.replace(f".{_NAME}.", "."): value.detach().to("cpu", torch.float16).contiguous()
        for name, value in module.named_parameters()
        if ".lora_" in name
    }


def save_kohya(unet: UNet2DConditionModel, path: Path, told: Mapping[str, str]) -> None:
    """As kohya's trainer writes a LoRA: the UNet's original names, an alpha a layer, and `told` in the header."""
    layers = int(unet.config["layers_per_block"])
    kinds = {"lora_A": "lora_down", "lora_B": "lora_up"}
    made: dict[str, torch.Tensor] = {}
    for name, value in weights(unet).items():
        layer, kind, _ = name.rsplit(".", 2)
        module = "lora_unet_" + unet_key(f"{layer}.weight", layers).removesuffix(".weight").replace(".", "_")
        made[f"{module}.{kinds[kind]}.weight"] = value
        made[f"{module}.alpha"] = torch.tensor(float(KOHYA.lora_alpha), dtype=torch.float16)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(made, path, metadata=dict(told))


def save_peft(unet: UNet2DConditionModel, encoders: tuple[Any, Any], folder: Path) -> None:
    """As diffusers' own trainers write a LoRA: PEFT's names, with rank and alpha in the header."""
    one, two = encoders
    StableDiffusionXLPipeline.save_lora_weights(
        folder,
        unet_lora_layers=weights(unet),
        text_encoder_lora_layers=weights(one),
        text_encoder_2_lora_layers=weights(two),
        unet_lora_adapter_metadata=_told(PEFT),
        text_encoder_lora_adapter_metadata=_told(WORDS),
        text_encoder_2_lora_adapter_metadata=_told(WORDS),
    )


def _told(config: LoraConfig) -> dict[str, Any]:
    """What a config says of itself, as JSON has it."""
    kept = ("r", "lora_alpha", "target_modules", "use_dora", "use_rslora")
    told = {name: getattr(config, name) for name in kept}
    return dict(json.loads(json.dumps(told | {"target_modules": sorted(told["target_modules"])})))
