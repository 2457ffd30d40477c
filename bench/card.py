"""The model card's recipes, word for word, on files in folders: plain diffusers, nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    DiffusionPipeline,
    LCMScheduler,
    StableDiffusionXLAdapterPipeline,
    T2IAdapter,
    UNet2DConditionModel,
)
from PIL import Image
from safetensors.torch import load_file

TIMESTEPS = {4: [999, 749, 499, 249], 1: [399]}


@dataclass(frozen=True)
class Card:
    """Where a base, DMD2's files, and an adapter lie, and the type in which they compute on the CPU."""

    base: Path
    dmd2: Path
    adapter: Path
    dtype: torch.dtype = torch.float32

    def unet(self, steps: int) -> Any:
        """DMD2's UNet of that many steps."""
        unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(self.base, subfolder="unet"))
        unet = unet.to("cpu", self.dtype).eval()
        if steps == 4:
            unet.load_state_dict(load_file(self.dmd2 / "dmd2_sdxl_4step_unet_fp16.safetensors"))
        else:
            pickle = self.dmd2 / "dmd2_sdxl_1step_unet_fp16.bin"
            unet.load_state_dict(torch.load(pickle, map_location="cpu", weights_only=True))
        return unet

    def text_to_image(self, steps: int) -> Any:
        """The card's "1-step UNet generation" and "4-step UNet generation"."""
        pipe = DiffusionPipeline.from_pretrained(self.base, unet=self.unet(steps), dtype=self.dtype, variant="fp16")
        return with_lcm(pipe)

    def lora(self, scale: float) -> Any:
        """The card's "4-step LoRA generation"."""
        pipe = with_lcm(DiffusionPipeline.from_pretrained(self.base, dtype=self.dtype, variant="fp16"))
        pipe.load_lora_weights(self.dmd2 / "dmd2_sdxl_4step_lora_fp16.safetensors")
        pipe.fuse_lora(lora_scale=scale)
        return pipe

    def canny(self) -> Any:
        """The card's "4-step T2I Adapter"."""
        adapter = T2IAdapter.from_pretrained(self.adapter, dtype=self.dtype, variant="fp16")
        return with_lcm(
            StableDiffusionXLAdapterPipeline.from_pretrained(
                self.base, unet=self.unet(4), adapter=adapter, dtype=self.dtype, variant="fp16"
            )
        )


def picture(pipe: Any, prompt: str, seed: int, steps: int = 4, **more: Any) -> Image.Image:
    """The card's call, with a seed."""
    image: Image.Image = pipe(
        prompt=prompt,
        num_inference_steps=steps,
        guidance_scale=0,
        timesteps=TIMESTEPS[steps],
        generator=torch.Generator("cpu").manual_seed(seed),
        **more,
    ).images[0]
    return image


def with_lcm(pipe: Any) -> Any:
    """The pipeline with the card's scheduler."""
    pipe.scheduler = LCMScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    return pipe
