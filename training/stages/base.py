"""Trains the base: both text encoders and the UNet together, on captioned latents. The teacher of all else.

python -m training.stages.base single --processes 2     one thing a picture, from nothing
python -m training.stages.base couples --processes 2    goes on from there with two things in half of the pictures
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import nn

from training.data.latents import Latents
from training.diffusion.noise import Noise
from training.diffusion.prediction import denoising_loss
from training.family import export
from training.family.members import BASE, load_text, load_unet
from training.loop import parallel
from training.loop.run import Run, arguments, average, cosine
from training.networks.precision import autocast, quick, trainable
from training.networks.text import Text
from training.networks.text_encoders import make_text_encoders
from training.networks.tokenizer import make_tokenizers
from training.networks.unet import make_unet

BATCH = 64


class Base(nn.Module):
    """What is trained and averaged together."""

    def __init__(self, text: Text, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.text, self.unet = text, unet


@dataclass(frozen=True)
class Lesson:
    """What a run teaches, from nothing or going on: for how long, at which rate, how many pictures show two things."""

    steps: int
    rate: float
    together: float
    goes_on: bool


LESSONS = {
    "single": Lesson(8000, 1e-3, together=0.0, goes_on=False),
    "couples": Lesson(2000, 5e-4, together=0.5, goes_on=True),
}


def train(options: Any) -> None:
    """Trains, and writes the averaged base into the family."""
    lesson = LESSONS[options.lesson]
    steps = options.steps or lesson.steps
    device = torch.device(options.device)
    base = Base(load_text(device), load_unet(device)) if lesson.goes_on else _untrained(device)
    base.train().requires_grad_(True)
    for encoder in (base.text.one, base.text.two):
        # The only attention whose backward pass is quick in half precision on a CPU.
        encoder.set_attn_implementation("eager")
    parallel.agree(base)
    averaged: Any = average(base, 0.999)
    latents, noise = Latents(device, together=lesson.together), Noise(device)
    optimizer = torch.optim.AdamW(trainable(base), lr=lesson.rate, weight_decay=0.0, betas=(0.9, 0.99), fused=True)
    schedule = cosine(optimizer, steps, hold=0.3)
    parts: dict[str, Any] = {"base": base, "averaged": averaged, "optimizer": optimizer, "schedule": schedule}
    run = Run(f"base-{options.lesson}", steps, parts)
    for step in run:
        batch = latents.batch(BATCH // parallel.size())
        with autocast(device):
            condition = base.text(batch.captions, batch.size)
        error = denoising_loss(base.unet, noise, batch.latents, condition)
        parallel.descend(optimizer, error, trainable(base))
        schedule.step()
        if parallel.rank() == 0:
            averaged.update_parameters(base)
        if step % 10 == 0:
            run.report(loss=float(error.detach()))
    if parallel.rank() == 0:
        export.save_family(BASE, averaged.module.unet, averaged.module.text)


def _untrained(device: torch.device) -> Base:
    tokenizers = make_tokenizers()
    return Base(Text(tokenizers, make_text_encoders(tokenizers[0])), quick(make_unet(), device)).to(device)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", choices=LESSONS)


if __name__ == "__main__":
    parallel.launch(train, arguments(__doc__, steps=0, extend=_options))
