"""Trains the family's two style LoRAs on the base, with art that an algorithm restyled.

python -m training.stages.styles pixel    blocks of a few colours; written as kohya's trainer writes LoRAs
python -m training.stages.styles line     black lines on white; as diffusers' trainers do, text encoders included
"""

from __future__ import annotations

import argparse
import random
from functools import partial
from typing import Any

import torch
from torch import nn

from training.data.latents import Latents
from training.data.restyled import RESTYLES
from training.diffusion.noise import Noise
from training.diffusion.prediction import denoising_loss
from training.family.members import LINE_LORA, PIXEL_LORA, load_text, load_unet
from training.loop import parallel
from training.loop.run import Run, arguments, average, cosine
from training.networks import style_lora
from training.words import caption

TRIGGERS = {"pixel": "pixel art", "line": "line drawing"}
BATCH = 16
_NAMED = 0.8  # of the captions have the trigger words


def described(trigger: str, rng: random.Random, thing: str, style: str, colour: str) -> str:
    """A caption that mostly ends in the trigger words."""
    words = caption(rng, thing, style, colour)
    return f"{words}, {trigger}" if rng.random() < _NAMED else words


class Trained(nn.Module):
    """The LoRA's weights, for an average of them."""

    def __init__(self, weights: list[nn.Parameter]) -> None:
        super().__init__()
        self.weights = nn.ParameterList(weights)


def train(options: Any) -> None:
    """Trains one LoRA and writes its average into the family."""
    device = torch.device(options.device)
    text, unet, noise = load_text(device), load_unet(device), Noise(device)
    latents = Latents(device, restyled=options.style)
    describe = partial(described, TRIGGERS[options.style])
    kohya = options.style == "pixel"
    weights = style_lora.add(unet, style_lora.KOHYA if kohya else style_lora.PEFT)
    if not kohya:
        weights += [weight for one in (text.one, text.two) for weight in style_lora.add(one, style_lora.WORDS)]
    trained = Trained(weights)
    averaged: Any = average(trained, 0.98)
    optimizer = torch.optim.AdamW(weights, lr=3e-3, weight_decay=0.0, betas=(0.9, 0.99))
    schedule = cosine(optimizer, options.steps, warm_up=20, hold=0.4)
    parts: dict[str, Any] = {"lora": trained, "averaged": averaged, "optimizer": optimizer, "schedule": schedule}
    run = Run(f"style-{options.style}", options.steps, parts)
    for step in run:
        batch = latents.batch(BATCH // parallel.size(), describe)
        error = denoising_loss(unet, noise, batch.latents, text(batch.captions, batch.size))
        parallel.descend(optimizer, error, weights)
        schedule.step()
        averaged.update_parameters(trained)
        if step % 10 == 0:
            run.report(loss=float(error.detach()))
    if parallel.rank() == 0:
        with torch.no_grad():
            for weight, mean in zip(weights, averaged.module.weights, strict=True):
                weight.copy_(mean)
        if kohya:
            style_lora.save_kohya(
                unet, PIXEL_LORA, {"ss_output_name": "pixel-art", "ss_network_module": "networks.lora"}
            )
        else:
            style_lora.save_peft(unet, (text.one, text.two), LINE_LORA.parent)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("style", choices=RESTYLES)


if __name__ == "__main__":
    parallel.launch(train, arguments(__doc__, steps=700, extend=_options))
