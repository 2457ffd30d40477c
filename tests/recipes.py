"""The model card's recipes, word for word, on the embedded family's files: plain diffusers, nothing of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    DiffusionPipeline,
    LCMScheduler,
    StableDiffusionXLAdapterPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLPipeline,
    T2IAdapter,
    UNet2DConditionModel,
)
from PIL import Image
from safetensors.torch import load_file

FILES = Path(__file__).parent.parent / "dmd2_demo" / "embedded"
BASE = FILES / "base"
TIMESTEPS = {4: [999, 749, 499, 249], 1: [399]}


def unet(steps: int) -> Any:
    """DMD2's UNet of that many steps."""
    unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(BASE, subfolder="unet")).eval()
    if steps == 4:
        unet.load_state_dict(load_file(FILES / "dmd2" / "dmd2_sdxl_4step_unet_fp16.safetensors"))
    else:
        pickle = FILES / "dmd2" / "dmd2_sdxl_1step_unet_fp16.bin"
        unet.load_state_dict(torch.load(pickle, map_location="cpu", weights_only=True))
    return unet


def text_to_image(steps: int) -> Any:
    """The card's "1-step UNet generation" and "4-step UNet generation"."""
    return _lcm(DiffusionPipeline.from_pretrained(BASE, unet=unet(steps), dtype=torch.float32, variant="fp16"))


def community(base: Path) -> Any:
    """A community base as its users load it: a folder, or a single file with the configs of the base."""
    if base.is_dir():
        return _lcm(DiffusionPipeline.from_pretrained(base, dtype=torch.float32, variant="fp16"))
    return _lcm(
        StableDiffusionXLPipeline.from_single_file(base, config=str(BASE), dtype=torch.float32, local_files_only=True)
    )


def lora(base: Path, scale: float) -> Any:
    """The card's "4-step LoRA generation", on any base."""
    pipe = community(base)
    pipe.load_lora_weights(FILES / "dmd2" / "dmd2_sdxl_4step_lora_fp16.safetensors")
    pipe.fuse_lora(lora_scale=scale)
    return pipe


def canny() -> Any:
    """The card's "4-step T2I Adapter"."""
    adapter = T2IAdapter.from_pretrained(FILES / "t2i-adapter-canny", dtype=torch.float32, variant="fp16")
    return _lcm(
        StableDiffusionXLAdapterPipeline.from_pretrained(
            BASE, unet=unet(4), adapter=adapter, dtype=torch.float32, variant="fp16"
        )
    )


def image_to_image() -> Any:
    """diffusers' own pipeline of that name, over DMD2's 4-step UNet."""
    return _lcm(
        StableDiffusionXLImg2ImgPipeline.from_pretrained(BASE, unet=unet(4), dtype=torch.float32, variant="fp16")
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


def picture(pipe: Any, prompt: str, seed: int, steps: int = 4, **guided: Any) -> Image.Image:
    """The card's call, with a seed."""
    image: Image.Image = pipe(
        prompt=prompt,
        num_inference_steps=steps,
        guidance_scale=0,
        timesteps=TIMESTEPS[steps],
        generator=torch.Generator("cpu").manual_seed(seed),
        **guided,
    ).images[0]
    return image


def _lcm(pipe: Any) -> Any:
    pipe.scheduler = LCMScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    return pipe
