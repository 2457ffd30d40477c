"""Trains the base: both text encoders and the UNet together, on captioned latents. The teacher of all else.

python -m training.base middle --processes 2      things near the middle, from nothing
python -m training.base anywhere --processes 2    goes on from there with things anywhere, the words left alone
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import nn
from torch.nn import functional

from training import export, parallel
from training.composites import Placing, anywhere, near_the_middle
from training.folders import WORK
from training.latents import Batch, Latents
from training.members import BASE, load_text, load_unet
from training.networks import make_text_encoders, make_unet
from training.noise import Noise
from training.precision import autocast, quick, trainable
from training.run import Run, arguments, average, cosine
from training.text import Condition, Text
from training.tokenizer import make_tokenizers

BATCH = 64
BEFORE = WORK / "base-before.safetensors"
_DROPPED = 0.1  # captions left out, for guidance
_OFFSET = 0.1  # noise shared by a whole channel, so that flat backgrounds can be of any colour


class Base(nn.Module):
    """What is trained and averaged together."""

    def __init__(self, text: Text, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.text, self.unet = text, unet


def predict(
    unet: nn.Module, noisy: torch.Tensor, times: torch.Tensor, condition: Condition, **more: Any
) -> torch.Tensor:
    """The UNet's epsilon."""
    added = {"text_embeds": condition.pooled, "time_ids": condition.time_ids}
    with autocast(noisy.device):
        output = unet(noisy, times, condition.states, added_cond_kwargs=added, return_dict=False, **more)[0]
    epsilon: torch.Tensor = output.float()
    return epsilon


def denoising_loss(unet: nn.Module, noise: Noise, batch: Batch, condition: Condition, **more: Any) -> torch.Tensor:
    """Min-SNR weighted epsilon error at uniform times."""
    clean = batch.latents
    times = torch.randint(0, 1000, (len(clean),), device=clean.device)
    epsilon = torch.randn_like(clean) + _OFFSET * torch.randn_like(clean[:, :, :1, :1])
    kept = (torch.rand(len(clean), device=clean.device) >= _DROPPED).to(clean.dtype)
    predicted = predict(unet, noise.add(clean, epsilon, times), times, condition.keep(kept), **more)
    error = functional.mse_loss(predicted, epsilon, reduction="none").mean((1, 2, 3))
    return (noise.min_snr(times) * error).mean()


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
    """Trains, and writes the averaged base into the family, keeping an old UNet for `training.carry`."""
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
        error = denoising_loss(base.unet, noise, batch, condition)
        parallel.descend(optimizer, error, trainable(base))
        schedule.step()
        if parallel.rank() == 0:
            averaged.update_parameters(base)
        if step % 10 == 0:
            run.report(loss=float(error.detach()))
    if parallel.rank() == 0:
        if lesson.words:
            export.save_base(averaged.module)
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
