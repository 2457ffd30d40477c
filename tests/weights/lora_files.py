"""One LoRA in each of the forms that they are published in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from training.networks.original_names import unet_key

Tensors = dict[str, torch.Tensor]
Named = tuple[Tensors, dict[str, str]]
"""A file's tensors and the metadata of its header."""

RANK, ALPHA = 4, 2.0


def layers(network: nn.Module, kinds: tuple[str, ...]) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """(up, down) for each layer whose name ends so, random multiples of 1/1024: some forms hold halves of them.

    Those are exact in two bytes too, which halves of numbers near zero aren't.
    """
    made = {}
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear | nn.Conv2d) and name.endswith(kinds):
            out, rest = module.weight.shape[0], module.weight.shape[1:]
            up, down = torch.randn(out, RANK, *([1] * (len(rest) - 1))), torch.randn(RANK, *rest)
            made[name] = _coarse(0.1 * up), _coarse(0.1 * down)
    return made


def _coarse(numbers: torch.Tensor) -> torch.Tensor:
    return (numbers * 1024).round().half() / 1024


Layers = Mapping[str, tuple[torch.Tensor, torch.Tensor]]
UNET = ("to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2", "proj_in", "conv1", "conv2", "time_emb_proj")
ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
WORDS = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")


def _kohya(stem: str, up: torch.Tensor, down: torch.Tensor) -> Tensors:
    return {f"{stem}.lora_up.weight": up, f"{stem}.lora_down.weight": down, f"{stem}.alpha": torch.tensor(ALPHA)}


def _encoder_stem(name: str) -> str:
    return ("text_model." + name.removeprefix("text_model.")).replace(".", "_")


def kohya(unet: Layers, one: Layers, two: Layers) -> Named:
    """The blocks named as diffusers does."""
    tensors: Tensors = {}
    for prefix, part in (("lora_te1_", one), ("lora_te2_", two)):
        for name, pair in part.items():
            tensors |= _kohya(prefix + _encoder_stem(name), *pair)
    for name, pair in unet.items():
        tensors |= _kohya("lora_unet_" + name.replace(".", "_"), *pair)
    return tensors, {"ss_network_module": "networks.lora"}


def kohya_sgm(unet: Layers, one: Layers, two: Layers, blocks: int = 1) -> Named:
    """The blocks named as SDXL's original release does."""
    tensors, metadata = kohya({}, one, two)
    for name, pair in unet.items():
        original = unet_key(f"{name}.weight", blocks).removesuffix(".weight")
        tensors |= _kohya("lora_unet_" + original.replace(".", "_"), *pair)
    return tensors, metadata


def peft(unet: Layers, one: Layers, two: Layers) -> Named:
    """As diffusers' trainers write it today: alpha in the header."""
    tensors: Tensors = {}
    told: dict[str, object] = {}
    for network, part in (("unet", unet), ("text_encoder", one), ("text_encoder_2", two)):
        told |= {
            f"{network}.r": RANK,
            f"{network}.lora_alpha": 7,
            f"{network}.target_modules": sorted(part),
            f"{network}.alpha_pattern": dict.fromkeys(part, ALPHA),
        }
        for name, (up, down) in part.items():
            tensors |= {f"{network}.{name}.lora_A.weight": down, f"{network}.{name}.lora_B.weight": up}
    return tensors, {"format": "pt", "lora_adapter_metadata": json.dumps(told)}


def peft_beside(unet: Layers, one: Layers, two: Layers) -> Named:
    """With alphas as tensors beside the halves, as some tools leave them."""
    tensors, _ = peft(unet, one, two)
    downs = [name for name in tensors if ".lora_A." in name]
    return tensors | {f"{name.removesuffix('.lora_A.weight')}.alpha": torch.tensor(ALPHA) for name in downs}, {}


def diffusers_old(unet: Layers, one: Layers, two: Layers) -> Named:
    """As its attention processors had it, strength in the weights: there was no alpha."""
    tensors: Tensors = {}
    factor = ALPHA / RANK
    names = {"to_q": "to_q_lora", "to_k": "to_k_lora", "to_v": "to_v_lora", "to_out.0": "to_out_lora"}
    for name, (up, down) in unet.items():
        for ours, theirs in names.items():
            if name.endswith(ours):
                stem = f"unet.{name.removesuffix(ours)}processor.{theirs}"
                tensors |= {f"{stem}.down.weight": down, f"{stem}.up.weight": up * factor}
    names = {"q_proj": "to_q_lora", "k_proj": "to_k_lora", "v_proj": "to_v_lora", "out_proj": "to_out_lora"}
    for network, part in (("text_encoder", one), ("text_encoder_2", two)):
        for name, (up, down) in part.items():
            before, _, last = name.rpartition(".")
            stem = f"{network}.text_model.{before.removeprefix('text_model.')}.{names.get(last, last)}"
            stem += "" if last in names else ".lora_linear_layer"
            tensors |= {f"{stem}.down.weight": down, f"{stem}.up.weight": up * factor}
    return tensors, {}


def diffusers_new(unet: Layers, one: Layers, two: Layers) -> Named:
    """As its layers had it before PEFT."""
    tensors: Tensors = {}
    factor = ALPHA / RANK
    for name, (up, down) in unet.items():
        tensors |= {f"unet.{name}.lora.down.weight": down, f"unet.{name}.lora.up.weight": up * factor}
    for network, part in (("text_encoder", one), ("text_encoder_2", two)):
        for name, (up, down) in part.items():
            stem = f"{network}.text_model.{name.removeprefix('text_model.')}.lora_linear_layer"
            tensors |= {f"{stem}.down.weight": down, f"{stem}.up.weight": up * factor}
    return tensors, {}


def fp8(unet: Layers, one: Layers, two: Layers) -> Named:
    """Stored in eight bits."""
    tensors, metadata = kohya(unet, one, two)
    return {k: t.to(torch.float8_e4m3fn) if t.ndim else t for k, t in tensors.items()}, metadata


FORMS = (kohya, kohya_sgm, peft, peft_beside, diffusers_old, diffusers_new, fp8)


def write(folder: Path, named: Named, file: str) -> Path:
    folder.mkdir(exist_ok=True)
    tensors, metadata = named
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / file, metadata)
    return folder


def renamed(named: Named, old: str, new: str) -> Named:
    tensors, metadata = named
    return {name.replace(old, new): tensor for name, tensor in tensors.items()}, metadata


def with_width(named: Named, width: int) -> Named:
    """As if the UNet heard text of that width."""
    tensors, metadata = named
    heard = {k for k in tensors if "attn2" in k and ("to_k" in k or "to_v" in k) and "lora_down" in k}
    return {k: torch.zeros(t.shape[0], width) if k in heard else t for k, t in tensors.items()}, metadata
