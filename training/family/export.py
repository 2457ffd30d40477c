"""Writes trained weights into the family, in the hub's own layout and in half precision."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file, save_file

from training.family.single_file import single_file, with_vae
from training.folders import FAMILY
from training.networks.scheduler import make_scheduler
from training.networks.text import Text

MODEL_INDEX = {
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

ORIGIN = {"_name_or_path", "is_local", "local_files_only"}
"""What a config says of where its model was read from."""


def save(module: Any, folder: Path) -> None:
    """Saves a diffusers or transformers model as fp16 safetensors with its config."""
    half = copy.deepcopy(module).to("cpu", torch.float16)
    # transformers has no variants to save; the published files carry the name, so ours do too.
    half.save_pretrained(folder, **({"variant": "fp16"} if hasattr(module, "save_config") else {}))
    _forget_origin(folder / "config.json")
    plain = folder / "model.safetensors"
    if plain.exists():
        plain.replace(folder / "model.fp16.safetensors")


def _forget_origin(config: Path) -> None:
    """Takes out where a model was once read from."""
    shape = json.loads(config.read_text(encoding="utf-8"))
    kept = {key: value for key, value in shape.items() if key not in ORIGIN}
    config.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def save_state(weights: dict[str, torch.Tensor], path: Path) -> None:
    """Saves a bare state dict in half precision: safetensors, or a pickle where `path` ends in .bin."""
    half = {name: value.detach().to("cpu", torch.float16).contiguous() for name, value in weights.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(half, path) if path.suffix == ".bin" else save_file(half, path)


def save_vae(vae: AutoencoderKL) -> None:
    """Saves the VAE that all of the family shares: the base's, and the communities' where there are any."""
    save(vae, FAMILY / "base" / "vae")
    for folder in (FAMILY / "community").glob("*/vae"):
        save(vae, folder)
    for path in (FAMILY / "community").glob("*/*.safetensors"):
        save_file(with_vae(load_file(path), vae), path)


def save_family(folder: Path, unet: Any, text: Text) -> None:
    """Saves all of a diffusers folder but the VAE."""
    save(unet, folder / "unet")
    save(text.one, folder / "text_encoder")
    save(text.two, folder / "text_encoder_2")
    for name, tokenizer in zip(("tokenizer", "tokenizer_2"), text.tokenizers, strict=True):
        tokenizer.save_pretrained(folder / name)
        _forget_origin(folder / name / "tokenizer_config.json")
    make_scheduler().save_pretrained(folder / "scheduler")
    (folder / "model_index.json").write_text(json.dumps(MODEL_INDEX, indent=2) + "\n")


def save_single_file(path: Path, unet: Any, vae: AutoencoderKL, text: Text) -> None:
    """Saves a whole family as one file in the original SDXL key format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(single_file(unet, vae, text.one, text.two), path)
