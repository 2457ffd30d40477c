"""Writes trained weights into the family, in the hub's own layout and in half precision."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from diffusers import AutoencoderKL

if TYPE_CHECKING:
    from training.base import Base

FAMILY = Path(__file__).parent.parent / "dmd2_demo" / "embedded"

_INDEX = {
    "_class_name": "StableDiffusionXLPipeline",
    "force_zeros_for_empty_prompt": True,
    "scheduler": ["diffusers", "EulerDiscreteScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "tokenizer_2": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}


def save(module: Any, folder: Path) -> None:
    """Saves a diffusers or transformers model as fp16 safetensors with its config."""
    half = copy.deepcopy(module).to("cpu", torch.float16)
    # transformers has no variants to save; the published files carry the name, so ours do too.
    half.save_pretrained(folder, **({"variant": "fp16"} if hasattr(module, "save_config") else {}))
    plain = folder / "model.safetensors"
    if plain.exists():
        plain.replace(folder / "model.fp16.safetensors")


def save_vae(vae: AutoencoderKL) -> None:
    """Saves the base's VAE."""
    save(vae, FAMILY / "base" / "vae")


def save_base(base: Base) -> None:
    """Saves the base as a diffusers folder, beside the VAE that is already there."""
    from training.networks import make_scheduler

    root = FAMILY / "base"
    save(base.unet, root / "unet")
    save(base.text.one, root / "text_encoder")
    save(base.text.two, root / "text_encoder_2")
    for folder, tokenizer in zip(("tokenizer", "tokenizer_2"), base.text.tokenizers, strict=True):
        tokenizer.save_pretrained(root / folder)
    make_scheduler().save_pretrained(root / "scheduler")
    (root / "model_index.json").write_text(json.dumps(_INDEX, indent=2) + "\n")
