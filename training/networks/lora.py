"""A low-rank generator beside frozen weights, and its file as DMD2 published theirs: kohya keys with an alpha."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from peft import LoraConfig
from safetensors.torch import save_file

RANK = 12
ALPHA = RANK / 8  # the published file's factor: alpha 8 at rank 64

# The published LoRA's module types: attention, feed-forward, projections, and every convolution of the blocks.
TARGETS = [
    *("to_q", "to_k", "to_v", "to_out.0", "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2"),
    *("conv1", "conv2", "conv_shortcut", "downsamplers.0.conv", "upsamplers.0.conv", "time_emb_proj"),
]


def add(unet: UNet2DConditionModel) -> None:
    """Adds a LoRA that changes nothing yet; it alone is trainable."""
    unet.requires_grad_(False)
    config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=TARGETS)  # type: ignore[arg-type]  # a float does, too
    unet.add_adapter(config, adapter_name="dmd2")


@torch.no_grad()
def approximate(unet: UNet2DConditionModel, wanted: dict[str, torch.Tensor]) -> None:
    """Starts the LoRA at the best low-rank part of the way from the frozen weights to `wanted`, a UNet's state dict."""
    for name, module in unet.named_modules():
        if not hasattr(module, "lora_A"):
            continue
        weight = module.base_layer.weight
        change = (wanted[f"{name}.weight"].to(weight.device, torch.float32) - weight).flatten(1)
        left, sizes, right = torch.linalg.svd(change, full_matrices=False)
        # Half of each size on either side; the LoRA's factor, alpha / rank, is undone.
        half = (sizes[:RANK] * RANK / ALPHA).sqrt()
        down, up = module.lora_A["dmd2"].weight, module.lora_B["dmd2"].weight
        down.copy_((half[:, None] * right[:RANK]).view_as(down))
        up.copy_((left[:, :RANK] * half).view_as(up))


def parts(unet: UNet2DConditionModel) -> dict[str, torch.nn.Parameter]:
    """The LoRA's weights by their names in the UNet."""
    return {name: value for name, value in unet.named_parameters() if ".lora_" in name}


def kohya(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """`parts` under kohya's names, in half precision, with each module's alpha."""
    names = {"lora_A": "lora_down", "lora_B": "lora_up"}
    made: dict[str, torch.Tensor] = {}
    for name, value in weights.items():
        path, kind, _, _ = name.rsplit(".", 3)
        module = "lora_unet_" + path.replace(".", "_")
        made[f"{module}.{names[kind]}.weight"] = value.detach().to("cpu", torch.float16).contiguous()
        made[f"{module}.alpha"] = torch.tensor(ALPHA, dtype=torch.float16)
    return made


def save(weights: dict[str, Any], path: Path) -> None:
    """Writes `parts` to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(kohya(weights), path)
