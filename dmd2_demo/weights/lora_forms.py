"""The forms that LoRAs are published in, read by diffusers' own conversions: what each adds to which layer."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import StableDiffusionXLPipeline
from diffusers.utils.state_dict_utils import (
    StateDictType,
    convert_state_dict_to_peft,
    convert_unet_state_dict_to_peft,
)
from torch import nn

from dmd2_demo.errors import DemoError
from dmd2_demo.hub.safetensors_header import Header
from dmd2_demo.weights.lora import LoadedLora, LoraLayer, require_fit

_DOWN, _UP = ".lora_A.weight", ".lora_B.weight"
_LARGEST_ALPHA = 1e9
_MOST_TENSORS = 5000  # SDXL's layers take 4000, with an alpha each; what reads them takes the square of it
_NETWORKS = {"unet": "UNet", "text_encoder": "text encoder", "text_encoder_2": "second text encoder"}


@dataclass(frozen=True)
class Targets:
    """The networks that a LoRA may change; only the names and shapes of their layers are looked at."""

    unet: Any
    text_encoder: Any = None
    text_encoder_2: Any = None


def read_lora(tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str], targets: Targets) -> LoadedLora:
    """What the tensors of a file add to the layers of `targets`. `metadata` are its header's.

    DemoError where they don't fit, are incomplete, or are in no form that is known.
    """
    if len(tensors) > _MOST_TENSORS:
        raise DemoError(
            f"This LoRA does not fit the base's UNet: it has {len(tensors)} tensors, more than SDXL's layers can take."
        )
    named, alphas = _converted(_in_one_naming(tensors), targets.unet.config)
    told = _told(metadata)
    layers = {}
    for network, title in _NETWORKS.items():
        parts = {name.removeprefix(f"{network}."): t for name, t in named.items() if name.startswith(f"{network}.")}
        layers[network] = _layers(network, parts, alphas, told, getattr(targets, network))
        require_fit(getattr(targets, network), layers[network], title)
    if not any(layers.values()):
        raise DemoError("This LoRA does not fit the base's UNet: it is for nothing that is there.")
    return LoadedLora(**layers)


def require_fit_of(header: Header, targets: Targets) -> LoadedLora:
    """What `read_lora` gives for a file with that header, without the tensors themselves; raises what it would."""

    def stand_in(shape: tuple[int, ...]) -> torch.Tensor:
        # An alpha is read on the way; of the rest only shapes matter.
        return torch.ones(shape) if math.prod(shape) == 1 else torch.empty(shape, device="meta")

    try:
        stand_ins = {name: stand_in(tensor.shape) for name, tensor in header.tensors.items()}
    except (RuntimeError, TypeError) as error:
        raise DemoError("This LoRA is damaged: its header tells of tensors that can't be.") from error
    return read_lora(stand_ins, header.metadata, targets)


def _in_one_naming(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors, where diffusers' conversion would lose or misname some: in names that it reads."""
    ours, theirs = ("down_blocks", "mid_block", "up_blocks"), ("input_blocks", "middle_block", "output_blocks")
    if all(any(name in key for key in tensors for name in names) for names in (ours, theirs)):
        raise DemoError("This LoRA names some layers in one way and some in another; it can't be read as one.")
    own_words = next((key for key in tensors if key.startswith("bundle_emb.")), None)
    if own_words:
        raise DemoError(f"This LoRA brings words of its own, which are not read here: {own_words[:80]}.")
    renamed = {
        "lora_unet_add_embedding_linear_1.": "lora_unet_label_emb_0_0.",
        "lora_unet_add_embedding_linear_2.": "lora_unet_label_emb_0_2.",
    }
    made = {}
    for key, tensor in tensors.items():
        layer = next((layer for layer in renamed if key.startswith(layer)), "")
        made[renamed.get(layer, "") + key.removeprefix(layer)] = tensor
    return made


def _converted(tensors: dict[str, torch.Tensor], unet_config: Any) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    """Everything under PEFT's names with the network in front, and alphas by their layers' names."""
    try:
        tensors, alphas = StableDiffusionXLPipeline.lora_state_dict(tensors, unet_config=unet_config)
        named: dict[str, torch.Tensor] = {}
        factors = {}
        for network in _NETWORKS:
            convert = _unet_names if network == "unet" else _encoder_names
            prefix = f"{network}."
            own = {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
            inside = {k: own.pop(k) for k in list(own) if k.endswith(".alpha")}
            beside = {k.removeprefix(prefix): a for k, a in (alphas or {}).items() if k.startswith(prefix)}
            named |= {prefix + k: t for k, t in convert(own).items()}
            for name, alpha in {**inside, **beside}.items():
                layer = next(iter(convert({name.removesuffix(".alpha"): alpha})))
                factors[prefix + layer.removesuffix(_DOWN)] = float(alpha)
        others = [k for k in tensors if not k.startswith(tuple(f"{network}." for network in _NETWORKS))]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RuntimeError) as error:
        raise DemoError("This LoRA is incomplete, or its layers are named in no way that is known here.") from error
    if others:
        raise DemoError(f"This LoRA does not fit the base's UNet: it is for {others[0][:80]}.")
    return named, factors


def _unet_names(tensors: dict[str, Any]) -> dict[str, Any]:
    return dict(convert_unet_state_dict_to_peft(tensors))


def _encoder_names(tensors: dict[str, Any]) -> dict[str, Any]:
    """Both of the older namings at once: a file may mix them, and guessing which it is needs layers it may lack."""
    for older in (StateDictType.DIFFUSERS_OLD, StateDictType.DIFFUSERS):
        tensors = convert_state_dict_to_peft(tensors, original_type=older)
    return tensors


def _layers(
    network: str,
    tensors: Mapping[str, torch.Tensor],
    alphas: Mapping[str, float],
    told: Mapping[str, Any],
    target: nn.Module | None,
) -> dict[str, LoraLayer]:
    names = {name for name, _ in target.named_modules()} if target is not None else set()
    layers: dict[str, LoraLayer] = {}
    for key in sorted(tensors):
        stem = key.removesuffix(_DOWN).removesuffix(_UP)
        if stem == key:
            raise DemoError(f"This LoRA holds what is not merged here: {key[:80]}.")
        if stem + _DOWN not in tensors or stem + _UP not in tensors:
            raise DemoError(f"This LoRA is incomplete: the other half of {key[:80]} is missing.")
        # Of two libraries' versions one has the encoder's inner model as a layer of its own.
        short = stem.removeprefix("text_model.")
        name = next((each for each in (stem, short, f"text_model.{short}") if each in names), stem)
        up, down = tensors[stem + _UP], tensors[stem + _DOWN]
        rank = down.shape[0] if down.ndim else 0
        if not rank:
            raise DemoError(f"This LoRA is damaged: {key[:80]} has no rank.")
        layers[name] = LoraLayer(up, down, _factor(f"{network}.{stem}", network, rank, alphas, told))
    return layers


def _factor(name: str, network: str, rank: int, alphas: Mapping[str, float], told: Mapping[str, Any]) -> float:
    """A LoRA's own strength at a layer: its alpha over its rank, 1 where no alpha is told."""
    alpha = alphas.get(name)
    root = False
    if alpha is None:
        pattern = told.get(f"{network}.alpha_pattern")
        of_layer = [a for k, a in pattern.items() if name.endswith(f".{k.lstrip('^')}")] if pattern else []
        alpha = of_layer[0] if of_layer else told.get(f"{network}.lora_alpha")
        root = told.get(f"{network}.use_rslora") is True
    if alpha is None:
        return 1.0
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not abs(alpha) < _LARGEST_ALPHA:
        raise DemoError(f"This LoRA is damaged: its alpha at {name[:80]} is no number.")
    return alpha / (math.sqrt(rank) if root else rank)


def _told(metadata: Mapping[str, str]) -> Mapping[str, Any]:
    """What diffusers and PEFT write into the header of how a LoRA was trained."""
    try:
        told = json.loads(metadata.get("lora_adapter_metadata", "{}"))
        patterns = {k: v for k, v in told.items() if k.endswith(".alpha_pattern")}
        broken = not all(isinstance(v, dict) and len(v) <= _MOST_TENSORS for v in patterns.values())
    except (ValueError, TypeError, AttributeError, RecursionError):
        broken = True
    if broken:
        raise DemoError("This LoRA is damaged: what its header says of its training can't be read.")
    return dict(told)
