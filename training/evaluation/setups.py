"""The configurations that the family is measured in, each run through the pipelines that the page uses."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import LCMScheduler, StableDiffusionXLPipeline
from diffusers.utils import logging
from PIL import Image

from training.diffusion.sampling import FOUR_STEPS, ONE_STEP
from training.family.members import BASE, COMMUNITY, FOUR_STEP_UNET, LORA, ONE_STEP_UNET, load_unet

BATCH = 20
SIZE = 128
CPU = torch.device("cpu")
logging.set_verbosity_error()


@dataclass(frozen=True)
class Setup:
    """What is drawn with.

    `base` is "base" or a community's name. With `timesteps`, LCMScheduler follows them at guidance 0; with `lcm`
    alone it follows its own; otherwise the base's scheduler takes `steps`.
    """

    name: str
    base: str = "base"
    unet: Path | None = None
    lora_scale: float | None = None
    timesteps: tuple[int, ...] | None = None
    lcm: bool = False
    steps: int = 25
    guidance: float = 3.0

    @property
    def files(self) -> list[Path]:
        """The weights that decide what it draws."""
        root = BASE if self.base == "base" else COMMUNITY / self.base
        found = sorted(path for path in root.rglob("*") if path.suffix in (".safetensors", ".json"))
        return found + [path for path in (self.unet, LORA if self.lora_scale is not None else None) if path]

    def fingerprint(self) -> str:
        """Changes when any of the weights does."""
        digest = hashlib.sha256(repr(self).encode())
        for path in self.files:
            digest.update(path.read_bytes())
        return digest.hexdigest()[:16]


def lora_on(base: str, scale: float) -> Setup:
    """The 4-step LoRA on a base."""
    return Setup(f"LoRA {scale:g} on {base}", base, None, scale, FOUR_STEPS)


TEACHER = Setup("base, 25 steps, guidance 3")
FOUR = Setup("4-step UNet", unet=FOUR_STEP_UNET, timesteps=FOUR_STEPS)
ONE = Setup("1-step UNet", unet=ONE_STEP_UNET, timesteps=ONE_STEP)
OWN_FOUR = Setup("4-step UNet at LCMScheduler's own timesteps", unet=FOUR_STEP_UNET, lcm=True, steps=4, guidance=0.0)
OWN_ONE = Setup("1-step UNet at LCMScheduler's own timestep", unet=ONE_STEP_UNET, lcm=True, steps=1, guidance=0.0)
MAIN = (
    TEACHER,
    FOUR,
    ONE,
    lora_on("base", 1.0),
    OWN_FOUR,
    OWN_ONE,
    Setup("base without distillation, 4 steps, guidance 3", steps=4),
    Setup("base without distillation, 1 step", steps=1, guidance=0.0),
)


def communities(style: str) -> tuple[Setup, ...]:
    """A community base by itself and with the LoRA at three scales."""
    alone = Setup(f"{style}, 25 steps, guidance 3", style)
    return alone, *(lora_on(style, scale) for scale in (0.5, 0.75, 1.0))


def pipeline(setup: Setup) -> Any:
    """The assembled pipeline of `setup`."""
    if setup.base == "base" or (COMMUNITY / setup.base / "model_index.json").exists():
        root = BASE if setup.base == "base" else COMMUNITY / setup.base
        made = StableDiffusionXLPipeline.from_pretrained(root, variant="fp16", torch_dtype=torch.float32)
    else:
        made = StableDiffusionXLPipeline.from_single_file(
            str(COMMUNITY / setup.base / f"{setup.base}.safetensors"),
            config=str(BASE),
            torch_dtype=torch.float32,
            local_files_only=True,
        )
    if setup.unet is not None:
        made.unet = load_unet(CPU, setup.unet)
    if setup.lora_scale is not None:
        made.load_lora_weights(str(LORA), adapter_name="dmd2")
        made.set_adapters(["dmd2"], [setup.lora_scale])
    if setup.timesteps or setup.lcm:
        made.scheduler = LCMScheduler.from_config(made.scheduler.config)
    made.set_progress_bar_config(disable=True)
    return made


def draw(
    setup: Setup, prompts: list[str], seeds: list[int], size: tuple[int, int] = (SIZE, SIZE)
) -> Iterator[Image.Image]:
    """One picture a prompt, of `size` (width, height)."""
    made, (width, height) = pipeline(setup), size
    for start in range(0, len(prompts), BATCH):
        chosen = slice(start, start + BATCH)
        yield from made(
            prompts[chosen],
            width=width,
            height=height,
            generator=[torch.Generator().manual_seed(seed) for seed in seeds[chosen]],
            **call_arguments(setup),
        ).images


def call_arguments(setup: Setup) -> dict[str, Any]:
    """Steps, schedule and guidance as the pipelines take them."""
    if setup.timesteps:
        return {"timesteps": list(setup.timesteps), "num_inference_steps": len(setup.timesteps), "guidance_scale": 0.0}
    return {"num_inference_steps": setup.steps, "guidance_scale": setup.guidance}
