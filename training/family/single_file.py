"""A diffusers folder as one file in the original SDXL key format, the way community checkpoints are passed around."""

from __future__ import annotations

import re

import torch
from diffusers import UNet2DConditionModel
from torch import nn

from training.networks.original_names import unet_key

Tensors = dict[str, torch.Tensor]

_FIRST_STAGE = "first_stage_model."

_OPEN_CLIP = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}


def single_file(unet: UNet2DConditionModel, vae: nn.Module, one: nn.Module, two: nn.Module) -> Tensors:
    """Every tensor of an SDXL family under its original key, in half precision."""
    made = {
        **{f"model.diffusion_model.{key}": value for key, value in _unet(unet).items()},
        **_first_stage(vae),
        **{f"conditioner.embedders.0.transformer.{key}": value for key, value in _clip(one).items()},
        **{f"conditioner.embedders.1.model.{key}": value for key, value in _open_clip(two).items()},
    }
    return _half(made)


def with_vae(tensors: Tensors, vae: nn.Module) -> Tensors:
    """The same family with another VAE."""
    others = {key: value for key, value in tensors.items() if not key.startswith(_FIRST_STAGE)}
    return {**others, **_half(_first_stage(vae))}


def _half(tensors: Tensors) -> Tensors:
    return {key: value.detach().to("cpu", torch.float16).contiguous() for key, value in tensors.items()}


def _first_stage(vae: nn.Module) -> Tensors:
    made = {_FIRST_STAGE + _vae_key(key): value for key, value in vae.state_dict().items()}
    # The original's attention projects by convolutions of one pixel.
    return {key: value[..., None, None] if "attn" in key and value.ndim == 2 else value for key, value in made.items()}


def _unet(unet: UNet2DConditionModel) -> Tensors:
    layers = int(unet.config["layers_per_block"])
    return {unet_key(key, layers): value for key, value in unet.state_dict().items()}


def _vae_key(key: str) -> str:
    key = key.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
    key = re.sub(r"mid_block\.attentions\.0\.(to_)?", "mid.attn_1.", key)
    key = key.replace("attn_1.group_norm", "attn_1.norm").replace("attn_1.out.0", "attn_1.proj_out")
    key = re.sub(r"mid_block\.resnets\.(\d)", lambda found: f"mid.block_{int(found[1]) + 1}", key)
    key = re.sub(r"down_blocks\.(\d)\.resnets", r"down.\1.block", key)
    key = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", key)
    # The original counts the decoder's blocks from the picture's side.
    key = re.sub(r"up_blocks\.(\d)\.resnets", lambda found: f"up.{3 - int(found[1])}.block", key)
    return re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda found: f"up.{3 - int(found[1])}.upsample", key)


def _clip(encoder: nn.Module) -> Tensors:
    state = encoder.state_dict()
    return {key if key.startswith("text_model.") else f"text_model.{key}": value for key, value in state.items()}


def _open_clip(encoder: nn.Module) -> Tensors:
    state = {key.removeprefix("text_model."): value for key, value in encoder.state_dict().items()}
    made = {
        "token_embedding.weight": state["embeddings.token_embedding.weight"],
        "positional_embedding": state["embeddings.position_embedding.weight"],
        "ln_final.weight": state["final_layer_norm.weight"],
        "ln_final.bias": state["final_layer_norm.bias"],
        # OpenCLIP multiplies from the left.
        "text_projection": state["text_projection.weight"].T,
    }
    for key, value in state.items():
        found = re.fullmatch(r"encoder\.layers\.(\d+)\.(.+)\.(weight|bias)", key)
        if found is None:
            continue
        layer, name, tail = found.groups()
        root = f"transformer.resblocks.{layer}"
        if name == "self_attn.q_proj":
            joined = [state[key.replace("q_proj", f"{part}_proj")] for part in "qkv"]
            made[f"{root}.attn.in_proj_{tail}"] = torch.cat(joined)
        elif name in _OPEN_CLIP:
            made[f"{root}.{_OPEN_CLIP[name]}.{tail}"] = value
    return made
