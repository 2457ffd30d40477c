"""Trains the base: both text encoders and the UNet together, on captioned latents. The teacher of all else.

python -m training.base --processes 2
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import nn
from torch.nn import functional

from training import export, parallel
from training.latents import Batch, Latents
from training.networks import make_text_encoders, make_unet
from training.noise import Noise
from training.precision import autocast, quick
from training.run import Run, arguments, average, cosine
from training.text import Condition, Text
from training.tokenizer import make_tokenizers

BATCH = 64
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


def train(options: Any) -> None:
    """Trains, and writes the averaged base into the family."""
    device = torch.device(options.device)
    tokenizers = make_tokenizers()
    base = Base(Text(tokenizers, make_text_encoders(tokenizers[0])), quick(make_unet(), device)).to(device)
    parallel.agree(base)
    averaged = average(base, 0.999)
    latents, noise = Latents(device), Noise(device)
    optimizer = torch.optim.AdamW(base.parameters(), lr=1e-3, weight_decay=0.0, betas=(0.9, 0.99), fused=True)
    schedule = cosine(optimizer, options.steps, hold=0.3)
    run = Run("base", options.steps, {"base": base, "averaged": averaged, "optimizer": optimizer, "schedule": schedule})
    for step in run:
        batch = latents.batch(BATCH // parallel.size())
        with autocast(device):
            condition = base.text(batch.captions, batch.size)
        error = denoising_loss(base.unet, noise, batch, condition)
        error.backward()
        parallel.share_gradients(base.parameters())
        nn.utils.clip_grad_norm_(base.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        if parallel.rank() == 0:
            averaged.update_parameters(base)
        if step % 10 == 0:
            run.report(loss=float(error.detach()))
    if parallel.rank() == 0:
        export.save_base(averaged.module)


if __name__ == "__main__":
    parallel.launch(train, arguments(__doc__, steps=5200))
