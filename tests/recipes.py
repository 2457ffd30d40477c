"""The model card's recipes on the embedded family's files, and on any base of it: plain diffusers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline, StableDiffusionXLImg2ImgPipeline, StableDiffusionXLPipeline
from PIL import Image

from bench.card import Card, with_lcm

FILES = Path(__file__).parent.parent / "dmd2_demo" / "embedded"
BASE = FILES / "base"
CARD = Card(BASE, FILES / "dmd2", FILES / "t2i-adapter-canny")


def community(base: Path) -> Any:
    """A community base as its users load it: a folder, or a single file with the configs of the base."""
    if base.is_dir():
        return with_lcm(DiffusionPipeline.from_pretrained(base, dtype=torch.float32, variant="fp16"))
    return with_lcm(
        StableDiffusionXLPipeline.from_single_file(base, config=str(BASE), dtype=torch.float32, local_files_only=True)
    )


def lora(base: Path, scale: float) -> Any:
    """The card's "4-step LoRA generation", on any base."""
    pipe = community(base)
    pipe.load_lora_weights(FILES / "dmd2" / "dmd2_sdxl_4step_lora_fp16.safetensors")
    pipe.fuse_lora(lora_scale=scale)
    return pipe


def image_to_image() -> Any:
    """diffusers' own pipeline of that name, over DMD2's 4-step UNet."""
    return with_lcm(
        StableDiffusionXLImg2ImgPipeline.from_pretrained(BASE, unet=CARD.unet(4), dtype=torch.float32, variant="fp16")
    )


def from_picture(pipe: Any, prompt: str, seed: int, image: Image.Image, timesteps: list[int]) -> Image.Image:
    """What `image`, of a size that needs no change, becomes over those timesteps."""
    made: Image.Image = pipe(
        prompt=prompt,
        image=image,
        strength=1.0,
        timesteps=timesteps,
        num_inference_steps=len(timesteps),
        guidance_scale=0,
        generator=torch.Generator("cpu").manual_seed(seed),
    ).images[0]
    return made
