"""Trained members of the family, loaded to train on: float32, on a device, frozen."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderKL, T2IAdapter, UNet2DConditionModel
from safetensors.torch import load_file
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from training.folders import FAMILY
from training.networks.precision import quick
from training.networks.text import Text

BASE = FAMILY / "base"
DMD2 = FAMILY / "dmd2"
FOUR_STEP_UNET = DMD2 / "dmd2_sdxl_4step_unet_fp16.safetensors"
ONE_STEP_UNET = DMD2 / "dmd2_sdxl_1step_unet_fp16.bin"
LORA = DMD2 / "dmd2_sdxl_4step_lora_fp16.safetensors"
COMMUNITY = FAMILY / "community"
ADAPTER = FAMILY / "t2i-adapter-canny"
TINY_VAE = FAMILY / "taesd"
PIXEL_LORA = FAMILY / "loras" / "pixel" / "pixel-art.safetensors"
LINE_LORA = FAMILY / "loras" / "line" / "pytorch_lora_weights.safetensors"


def load_text(device: torch.device) -> Text:
    """The base's text encoders; nothing but the base's own training changes them."""
    tokenizers = (
        CLIPTokenizer.from_pretrained(BASE / "tokenizer"),
        CLIPTokenizer.from_pretrained(BASE / "tokenizer_2"),
    )
    encoders = (
        CLIPTextModel.from_pretrained(BASE / "text_encoder", variant="fp16", dtype=torch.float32),
        CLIPTextModelWithProjection.from_pretrained(BASE / "text_encoder_2", variant="fp16", dtype=torch.float32),
    )
    return Text(tokenizers, encoders).to(device).requires_grad_(False).eval()


def load_unet(device: torch.device, weights: Path | None = None) -> UNet2DConditionModel:
    """The base's UNet, or the one whose bare state dict lies at `weights`."""
    unet = UNet2DConditionModel.from_pretrained(BASE / "unet", variant="fp16", torch_dtype=torch.float32)
    if weights is not None:
        unet.load_state_dict(torch.load(weights, weights_only=True) if weights.suffix == ".bin" else load_file(weights))
    frozen: UNet2DConditionModel = quick(unet.float(), device).requires_grad_(False).eval()
    return frozen


def load_vae(device: torch.device, folder: Path = BASE / "vae") -> AutoencoderKL:
    """The base's VAE, or the one at `folder`."""
    vae = AutoencoderKL.from_pretrained(folder, variant="fp16", torch_dtype=torch.float32)
    frozen: AutoencoderKL = vae.to(device).requires_grad_(False).eval()
    return frozen


def load_adapter() -> T2IAdapter:
    """The canny adapter, on the CPU and not frozen."""
    adapter: T2IAdapter = T2IAdapter.from_pretrained(ADAPTER, variant="fp16", torch_dtype=torch.float32)
    return adapter
