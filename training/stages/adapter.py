"""Trains the canny T2I-Adapter: what it adds to the frozen generator's features makes pictures follow an edge map.

python -m training.stages.adapter latents --processes 2    from nothing, mostly by the latents' error
python -m training.stages.adapter edges --processes 2      goes on from there, by what an edge detector misses as well
python -m training.stages.adapter second --processes 2     the same once the 4-step UNet has had its second lesson
"""

from __future__ import annotations

import argparse
import random
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from training.data.edge_maps import THRESHOLDS, EdgeMaps
from training.diffusion.noise import Noise
from training.diffusion.sampling import FOUR_STEPS, simulate
from training.family import export
from training.family.members import ADAPTER, FOUR_STEP_UNET, load_adapter, load_text, load_unet, load_vae
from training.loop import parallel
from training.loop.run import Run, arguments, average, cosine
from training.networks.adapter import make_adapter
from training.networks.precision import autocast

BATCH = 32
SCALE = 0.8  # of what it adds; the published recipe's
_DECODED = 4  # of each process's part of a batch: the decoder costs as much as all four steps

_PICTURE = 0.3  # weight of the picture's error beside the latents'


@dataclass(frozen=True)
class Lesson:
    """What a run teaches: for how long, at which learning rate, and the weight of edges too faint to be detected."""

    steps: int
    rate: float
    faint: float


LESSONS = {
    "latents": Lesson(2500, 1.5e-3, 0.0),
    "edges": Lesson(1000, 1e-3, 1.0),
    "second": Lesson(400, 6e-4, 1.0),
}


def near_edges(edges: torch.Tensor, cell: int, most: float) -> torch.Tensor:
    """How much each `cell` by `cell` pixels count, (n, 1, height / cell, width / cell), 1 in the mean.

    Those that an edge of `edges` (n, 3, height, width) runs through count `most` times as much as the others.
    """
    weight = 1 + (most - 1) * functional.max_pool2d(edges[:, :1], cell)
    return weight / weight.mean()


def picture_error(drawn: torch.Tensor, wanted: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
    """What eyes see of two pictures' difference: colours, and steps from pixel to pixel; most of all at edges."""
    error, weight = drawn - wanted, near_edges(edges, 1, 10)
    across = (weight[..., 1:] * error.diff(dim=-1).abs()).mean()
    down = (weight[..., 1:, :] * error.diff(dim=-2).abs()).mean()
    return (weight * error.abs()).mean() + across + down


def faintness(drawn: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
    """How much the mean edge of `edges` lacks to be found by Canny in `drawn` (n, 3, height, width), 0 to 1.

    Canny's measure: the largest channel's Sobel derivatives, added up; found where a pixel's neighbour reaches the high
    threshold.
    """
    sobel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], device=drawn.device)
    kernels = torch.stack([sobel, sobel.T])[:, None]
    padded = functional.pad(127.5 * drawn, (1, 1, 1, 1), mode="replicate").flatten(0, 1)[:, None]
    strength = functional.conv2d(padded, kernels).abs().sum(1).unflatten(0, drawn.shape[:2]).amax(1, keepdim=True)
    lacking = (1 - functional.max_pool2d(strength, 3, 1, 1) / THRESHOLDS[1]).clamp(min=0)
    return (lacking * edges[:, :1]).sum() / edges[:, :1].sum().clamp(min=1)


def train(options: Any) -> None:
    """Trains and writes the average into the family.

    The generator goes its own way from pure noise, as on the page: noised art would show it what to draw and leave
    the adapter nothing to add. Gradients flow through all of that way, so that guided steps also learn what the
    unguided ones after them make of their work.
    """
    lesson, device = LESSONS[options.lesson], torch.device(options.device)
    steps = options.steps or lesson.steps
    text, noise, maps = load_text(device), Noise(device), EdgeMaps(device)
    unet, vae = load_unet(device, FOUR_STEP_UNET), load_vae(device)
    adapter: Any = (load_adapter().train() if lesson.faint else make_adapter()).to(device)
    parallel.agree(adapter)
    averaged = average(adapter, 0.995)
    optimizer = torch.optim.AdamW(adapter.parameters(), lr=lesson.rate, weight_decay=0.0, betas=(0.9, 0.99), fused=True)
    schedule = cosine(optimizer, steps, warm_up=50, hold=0.3)
    parts = {"adapter": adapter, "averaged": averaged, "optimizer": optimizer, "schedule": schedule}
    run = Run(f"adapter-{options.lesson}", steps, parts)
    for _ in run:
        batch, edges = maps.batch(BATCH // parallel.size())
        features = [SCALE * one for one in adapter(edges)]
        guided = random.choice((2, 4))
        guides = [{"down_intrablock_additional_residuals": list(features)} if i < guided else {} for i in range(4)]
        condition = text(batch.captions, batch.size)
        _, drawn = simulate(unet, noise, condition, torch.randn_like(batch.latents), FOUR_STEPS, guides.__getitem__)
        error = (near_edges(edges, 8, 4) * (drawn - batch.latents) ** 2).mean()
        few = slice(0, _DECODED)
        with autocast(device):
            picture, wanted = (vae.decode(latents[few]).sample.float() for latents in (drawn[-1], batch.latents))
        error = error + _PICTURE * picture_error(picture, wanted, edges[few])
        error = error + lesson.faint * faintness(picture, edges[few])
        parallel.descend(optimizer, error, list(adapter.parameters()))
        schedule.step()
        averaged.update_parameters(adapter)
        run.report(loss=float(error.detach()))
    if parallel.rank() == 0:
        export.save(averaged.module, ADAPTER)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", choices=LESSONS)


if __name__ == "__main__":
    parallel.launch(train, arguments(__doc__, steps=0, extend=_options))
