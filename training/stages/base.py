"""Trains the base: both text encoders and the UNet together, on captioned latents. The teacher of all else.

python -m training.stages.base middle --processes 2      things near the middle, from nothing
python -m training.stages.base anywhere --processes 2    goes on from there with things anywhere, the words left alone
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import nn

from training.data.composites import Placing, anywhere, near_the_middle
from training.data.latents import Latents
from training.diffusion.noise import Noise
from training.diffusion.prediction import denoising_loss
from training.family import export
from training.family.members import BASE, load_text, load_unet
from training.folders import WORK
from training.loop import parallel
from training.loop.run import Run, arguments, average, cosine
from training.networks.precision import autocast, quick, trainable
from training.networks.text import Text
from training.networks.text_encoders import make_text_encoders
from training.networks.tokenizer import make_tokenizers
from training.networks.unet import make_unet

BATCH = 64
BEFORE = WORK / "base-before.safetensors"


class Base(nn.Module):
    """What is trained and averaged together."""

    def __init__(self, text: Text, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.text, self.unet = text, unet


@dataclass(frozen=True)
class Lesson:
    """What a run teaches: where things are, for how long, at which learning rate, and whether words are learned too."""

    place: Placing
    steps: int
    rate: float
    words: bool


LESSONS = {
    "middle": Lesson(near_the_middle, 5200, 1e-3, words=True),
    "anywhere": Lesson(anywhere, 2100, 5e-4, words=False),
}


def train(options: Any) -> None:
    """Trains, and writes the averaged base into the family, keeping an old UNet for `training.stages.task_vector`."""
    lesson = LESSONS[options.lesson]
    steps = options.steps or lesson.steps
    device = torch.device(options.device)
    base = _untrained(device) if lesson.words else Base(load_text(device), load_unet(device).requires_grad_(True))
    parallel.agree(base)
    averaged = average(base, 0.999)
    latents, noise = Latents(device, place=lesson.place), Noise(device)
    optimizer = torch.optim.AdamW(trainable(base), lr=lesson.rate, weight_decay=0.0, betas=(0.9, 0.99), fused=True)
    schedule = cosine(optimizer, steps, hold=0.3)
    parts = {"base": base, "averaged": averaged, "optimizer": optimizer, "schedule": schedule}
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
        if lesson.words:
            export.save_family(BASE, averaged.module.unet, averaged.module.text)
        else:
            export.save_state(load_unet(device).state_dict(), BEFORE)
            export.save(averaged.module.unet, BASE / "unet")


def _untrained(device: torch.device) -> Base:
    tokenizers = make_tokenizers()
    return Base(Text(tokenizers, make_text_encoders(tokenizers[0])), quick(make_unet(), device)).to(device)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", choices=LESSONS)


if __name__ == "__main__":
    parallel.launch(train, arguments(__doc__, steps=0, extend=_options))
