"""Trains the canny T2I-Adapter: what it adds to the frozen generator's features makes pictures follow an edge map.

python -m training.adapter --processes 2
"""

from __future__ import annotations

import random
from typing import Any

import torch
from diffusers import AutoencoderKL, T2IAdapter
from torch.nn import functional

from training import export, parallel
from training.edge_maps import EdgeMaps
from training.members import ADAPTER, FOUR_STEP_UNET, load_text, load_unet, load_vae
from training.noise import Noise
from training.precision import autocast
from training.run import Run, arguments, average, cosine
from training.sampling import FOUR_STEPS, simulate

BATCH = 32
SCALE = 0.8  # of what it adds; the published recipe's
_DECODED = 4  # of each process's part of a batch: the decoder costs as much as all four steps
_PICTURE = 0.3  # weight of the picture's error beside the latents'


def make_adapter() -> T2IAdapter:
    """Untrained: a feature map for each of the UNet's resolutions and one for its middle."""
    return T2IAdapter(
        in_channels=3, channels=[64, 80, 80, 80], num_res_blocks=6, downscale_factor=16, adapter_type="full_adapter_xl"
    )


def near_edges(edges: torch.Tensor, cell: int, most: float) -> torch.Tensor:
    """How much each `cell` by `cell` pixels count, (n, 1, height / cell, width / cell), 1 in the mean.

    Those that an edge of `edges` (n, 3, height, width) runs through count `most` times as much as the others.
    """
    weight = 1 + (most - 1) * functional.max_pool2d(edges[:, :1], cell)
    return weight / weight.mean()


def picture_error(vae: AutoencoderKL, drawn: torch.Tensor, wanted: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
    """What eyes and edge detectors see of two latents' difference: colours, and steps from pixel to pixel."""
    with autocast(drawn.device):
        with torch.no_grad():
            target = vae.decode(wanted).sample
        error = (vae.decode(drawn).sample - target).float()
    weight = near_edges(edges, 1, 10)
    across = (weight[..., 1:] * error.diff(dim=-1).abs()).mean()
    down = (weight[..., 1:, :] * error.diff(dim=-2).abs()).mean()
    return (weight * error.abs()).mean() + across + down


def train(options: Any) -> None:
    """Trains and writes the average into the family.

    The generator goes its own way from pure noise, as on the page: noised art would show it what to draw and leave
    the adapter nothing to add. Gradients flow through all of that way, so that guided steps also learn what the
    unguided ones after them make of their work.
    """
    device = torch.device(options.device)
    text, noise, maps = load_text(device), Noise(device), EdgeMaps(device)
    unet, vae = load_unet(device, FOUR_STEP_UNET), load_vae(device)
    adapter: Any = make_adapter().to(device)
    parallel.agree(adapter)
    averaged = average(adapter, 0.995)
    optimizer = torch.optim.AdamW(adapter.parameters(), lr=1.5e-3, weight_decay=0.0, betas=(0.9, 0.99), fused=True)
    schedule = cosine(optimizer, options.steps, warm_up=50, hold=0.3)
    parts = {"adapter": adapter, "averaged": averaged, "optimizer": optimizer, "schedule": schedule}
    run = Run("adapter", options.steps, parts)
    for _ in run:
        batch, edges = maps.batch(BATCH // parallel.size())
        features = [SCALE * one for one in adapter(edges)]
        guided = random.choice((2, 4, 4))
        guides = [{"down_intrablock_additional_residuals": list(features)} if i < guided else {} for i in range(4)]
        condition = text(batch.captions, batch.size)
        _, drawn = simulate(unet, noise, condition, torch.randn_like(batch.latents), FOUR_STEPS, guides.__getitem__)
        error = (near_edges(edges, 8, 4) * (drawn - batch.latents) ** 2).mean()
        few = slice(0, _DECODED)
        error = error + _PICTURE * picture_error(vae, drawn[-1][few], batch.latents[few], edges[few])
        parallel.descend(optimizer, error, list(adapter.parameters()))
        schedule.step()
        averaged.update_parameters(adapter)
        run.report(loss=float(error.detach()))
    if parallel.rank() == 0:
        export.save(averaged.module, ADAPTER)


if __name__ == "__main__":
    parallel.launch(train, arguments(__doc__, steps=3200))
