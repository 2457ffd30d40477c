"""Trains the VAE: factor 8, 4 latent channels, latents of zero mean and unit spread.

python -m training.stages.vae --processes 2
"""

from __future__ import annotations

import random
from typing import Any

import torch
from diffusers import AutoencoderKL

from training.data.art import load_art
from training.data.composites import Composite, composites, couples, to_tensor, to_unit
from training.data.held_out import is_held_out
from training.family import export
from training.folders import FIRST_VAE, NODE_MODULES
from training.loop import parallel
from training.loop.run import Run, arguments, average, cosine
from training.networks.precision import autocast, trainable
from training.networks.vae import make_vae, reconstructed, standardise
from training.stages.picture_loss import pixel_error, psnr

BATCH = 16
CROP = 64  # pixels of a side
_CROPPED = 0.75  # of the steps are on crops, the others on a quarter as many whole pictures


def loss(vae: AutoencoderKL, pixels: torch.Tensor) -> torch.Tensor:
    """The pixels' error, and a trace of KL."""
    with autocast(pixels.device):
        posterior = vae.encode(pixels).latent_dist
        decoded = vae.decode(posterior.sample()).sample.float()
    return pixel_error(decoded, pixels) + 2e-4 * posterior.kl().float().mean() / pixels[0, 0].numel()


def train(options: Any) -> None:
    """Trains and writes the average into the family."""
    device = torch.device(options.device)
    arts = load_art(NODE_MODULES)

    def made(seed: int, times: int) -> list[Composite]:
        return composites(arts, seed, times) + couples(arts, seed, times * len(arts))

    pool = to_tensor([one.image for one in made(parallel.rank(), times=4) if not is_held_out(one.names)])
    unseen = to_unit(to_tensor([one.image for one in composites(arts, 7777, times=1) if is_held_out(one.names)]))
    unseen = unseen[:: len(unseen) // 64].to(device)

    vae = make_vae().to(device, memory_format=torch.channels_last)
    parallel.agree(vae)
    averaged = average(vae, 0.998)
    optimizer = torch.optim.AdamW(vae.parameters(), lr=1.5e-3, weight_decay=0.0, betas=(0.9, 0.99), fused=True)
    schedule = cosine(optimizer, options.steps, hold=0.3)
    parts = {"vae": vae, "averaged": averaged, "optimizer": optimizer, "schedule": schedule}
    run = Run("vae", options.steps, parts)
    for step in run:
        whole = step >= _CROPPED * options.steps
        size = BATCH // parallel.size() // (4 if whole else 1)
        pixels = pool[torch.randint(len(pool), (size,))]
        if not whole:
            left, top = (random.randrange(0, 128 - CROP + 1, 8) for _ in range(2))
            pixels = pixels[:, :, top : top + CROP, left : left + CROP]
        error = loss(vae, to_unit(pixels.to(device)).contiguous(memory_format=torch.channels_last))
        parallel.descend(optimizer, error, trainable(vae))
        schedule.step()
        averaged.update_parameters(vae)
        if step % 20 == 0:
            run.report(loss=float(error.detach()))
        if step % 500 == 499 and parallel.rank() == 0:
            print(f" {step + 1}: {psnr(reconstructed(averaged.module, unseen), unseen):.2f} dB", flush=True)
    if parallel.rank() == 0:
        standardise(averaged.module, to_unit(pool[:: len(pool) // 512]).to(device))
        print(f"held-out art: {psnr(reconstructed(averaged.module, unseen), unseen):.2f} dB")
        export.save(averaged.module, FIRST_VAE)
        export.save_vae(averaged.module)


if __name__ == "__main__":
    parallel.launch(train, arguments(__doc__, steps=6000))
