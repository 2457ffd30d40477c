"""Trains the tiny VAE over the latents that are there.

python -m training.stages.tiny_vae
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from training.data.decodable import Decodables
from training.family import export
from training.family.members import TINY_VAE, load_vae
from training.loop import parallel
from training.loop.replay import Replay
from training.loop.run import Run, arguments, average, cosine
from training.networks.precision import autocast, trainable
from training.networks.tiny_vae import make_tiny_vae, start_linear
from training.stages.picture_loss import BACKGROUND, pixel_error, unevenness


def train(options: Any) -> None:
    """Trains both halves at once, on pictures and on the VAE's latents, and writes their average into the family."""
    device = torch.device(options.device)
    batches = Replay(Decodables(load_vae(device), device).batch)
    tiny = make_tiny_vae()
    tiny.to(device, memory_format=torch.channels_last)
    first = batches.next()
    start_linear(tiny, first.encoded, first.pixels)
    averaged = average(tiny, 0.995)
    optimizer = torch.optim.AdamW(tiny.parameters(), lr=2e-3, weight_decay=0.0, betas=(0.9, 0.99))
    schedule = cosine(optimizer, options.steps, warm_up=50, hold=0.3)
    parts = {"tiny": tiny, "averaged": averaged, "optimizer": optimizer, "schedule": schedule}
    run = Run("tiny-vae", options.steps, parts)
    for _ in run:
        batch = batches.next()
        wanted = len(batch.pixels)
        with autocast(device):
            drawn = tiny.decode(batch.latents).sample.float()
            encoded = tiny.encode(batch.pixels).latents.float()
        error = pixel_error(drawn[:wanted], batch.pixels)
        flat = unevenness(drawn[wanted:], batch.colours)
        encoding = functional.mse_loss(encoded, batch.encoded)
        parallel.descend(optimizer, error + BACKGROUND * flat + 0.1 * encoding, trainable(tiny))
        schedule.step()
        averaged.update_parameters(tiny)
        run.report(loss=float(error.detach()), flat=float(flat.detach()), encoding=float(encoding.detach()))
    export.save(averaged.module, TINY_VAE)


if __name__ == "__main__":
    train(arguments(__doc__, steps=2500))
