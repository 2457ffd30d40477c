"""Trains the VAE: factor 8, 4 latent channels, latents of zero mean and unit spread.

python -m training.stages.vae
"""

from __future__ import annotations

import random
from typing import Any

import torch
from diffusers import AutoencoderKL
from torch import nn
from torch.nn import functional

from training.data.art import load_art
from training.data.composites import composites, near_the_middle, to_tensor, to_unit
from training.data.held_out import held_out
from training.family import export
from training.folders import NODE_MODULES
from training.loop.run import Run, arguments, cosine
from training.networks.vae import make_vae, standardise

BATCH = 16


def loss(vae: AutoencoderKL, pixels: torch.Tensor) -> torch.Tensor:
    """L1, edges, squares, and a trace of KL."""
    posterior = vae.encode(pixels).latent_dist
    decoded = vae.decode(posterior.sample()).sample
    error = decoded - pixels
    edges = (error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()) / 2
    return (
        error.abs().mean()
        + 0.5 * edges
        + 0.5 * functional.mse_loss(decoded, pixels)
        + 2e-4 * posterior.kl().mean() / pixels[0, 0].numel()
    )


@torch.no_grad()
def psnr(vae: AutoencoderKL, pixels: torch.Tensor) -> float:
    """Of whole pictures, in dB over the range 0..1."""
    decoded = torch.cat([vae.decode(vae.encode(batch).latent_dist.mode()).sample for batch in pixels.split(32)])
    return float(10 * torch.log10(4 / functional.mse_loss(decoded.clamp(-1, 1), pixels)))


def main() -> None:
    """Trains on random crops, the last quarter on whole pictures, then writes the VAE into the family."""
    options: Any = arguments(__doc__, steps=2400)
    device = torch.device(options.device)
    arts = load_art(NODE_MODULES)
    made = composites(arts, options.seed, times=6, place=near_the_middle)
    pool = to_tensor([one.image for one in made if one.names not in held_out()])
    others = composites(arts, options.seed + 1, times=1, place=near_the_middle)[::7]
    unseen = to_unit(to_tensor([one.image for one in others])).to(device)

    vae = make_vae().to(device)
    optimizer = torch.optim.AdamW(vae.parameters(), lr=1.5e-3, weight_decay=0.0)
    schedule = cosine(optimizer, options.steps, hold=0.3)
    run = Run("vae", options.steps, {"vae": vae, "optimizer": optimizer, "schedule": schedule})
    for step in run:
        whole = step >= 0.75 * options.steps
        size = BATCH // 4 if whole else BATCH
        pixels = pool[torch.randint(len(pool), (size,))]
        if not whole:
            left, top = random.randrange(0, 65, 8), random.randrange(0, 65, 8)
            pixels = pixels[:, :, top : top + 64, left : left + 64]
        error = loss(vae, to_unit(pixels.to(device)))
        error.backward()
        nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        if step % 200 == 0:
            run.report(loss=float(error.detach()), psnr=psnr(vae, unseen[:64]))
    standardise(vae, unseen)
    print(f"placements not trained on: {psnr(vae, unseen):.2f} dB")
    export.save_vae(vae)


if __name__ == "__main__":
    main()
