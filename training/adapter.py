"""Trains the canny T2I-Adapter: what it adds to frozen features makes pictures follow an edge map.

python -m training.adapter base          the published recipe: the diffusion loss on the base
python -m training.adapter 4step-unet    goes on from there with the generator that the page uses it with
"""

from __future__ import annotations

import argparse
import random
from typing import Any

import torch
from diffusers import T2IAdapter
from torch import nn
from torch.nn import functional

from training import export, parallel
from training.base import predict
from training.edge_maps import EdgeMaps
from training.latents import Batch
from training.members import ADAPTER, FOUR_STEP_UNET, load_text, load_unet
from training.noise import Noise
from training.run import Run, arguments, average, cosine
from training.sampling import FOUR_STEPS
from training.text import Condition

BATCH = 16
SCALE = 0.8  # of what it adds; the published recipe's
_STEPS = {"base": 500, "4step-unet": 1400}
Features = list[torch.Tensor]


def make_adapter() -> T2IAdapter:
    """Untrained: a feature map for each of the UNet's resolutions and one for its middle."""
    return T2IAdapter(
        in_channels=3, channels=[64, 80, 80, 80], num_res_blocks=2, downscale_factor=16, adapter_type="full_adapter_xl"
    )


def load_adapter(device: torch.device) -> T2IAdapter:
    """The trained one, ready to train on."""
    adapter = T2IAdapter.from_pretrained(ADAPTER, variant="fp16", torch_dtype=torch.float32)
    trained: T2IAdapter = adapter.to(device).train()
    return trained


def _diffusion_loss(
    unet: Any, noise: Noise, features: Features, _: torch.Tensor, batch: Batch, condition: Condition
) -> torch.Tensor:
    """The epsilon error at random times that favour noise (T2I-Adapter's cubic): there the layout is decided."""
    count, device = len(batch.latents), batch.latents.device
    times = ((1 - torch.rand(count, device=device) ** 3) * 999).long()
    epsilon = torch.randn_like(batch.latents)
    noisy = noise.add(batch.latents, epsilon, times)
    guidance = {"down_intrablock_additional_residuals": list(features)}
    return functional.mse_loss(predict(unet, noisy, times, condition, **guidance), epsilon)


def _guided_loss(
    unet: Any, noise: Noise, features: Features, edges: torch.Tensor, batch: Batch, condition: Condition
) -> torch.Tensor:
    """The clean predictions' error from pure noise on the generator's own way, all of it guided or only its half.

    Noised art would show the generator at 749 what it should draw, and the adapter would have nothing to add. After
    two guided steps the third is in the sum as well: there the generator returns to its own taste unless it was
    guided well.
    """
    guided = random.choice((2, 4))
    weight = _near_edges(edges)
    noisy = torch.randn_like(batch.latents)
    errors = []
    for step, time in enumerate(FOUR_STEPS[: guided + 1]):
        times = torch.full((len(noisy),), time, device=noisy.device)
        residuals = {"down_intrablock_additional_residuals": [SCALE * one for one in features]}
        guidance = residuals if step < guided else {}
        clean = noise.clean(noisy, predict(unet, noisy, times, condition, **guidance), times)
        errors.append((weight * (clean - batch.latents) ** 2).mean())
        if step + 1 < len(FOUR_STEPS):
            following = torch.full_like(times, FOUR_STEPS[step + 1])
            noisy = noise.add(clean.detach(), torch.randn_like(clean), following)
    return torch.stack(errors).mean()


def _near_edges(edges: torch.Tensor) -> torch.Tensor:
    """How much each latent counts, (n, 1, height / 8, width / 8), 1 in the mean: four times as much at an edge."""
    weight = 1 + 3 * functional.max_pool2d(edges[:, :1], 8)
    return weight / weight.mean()


def train(options: Any) -> None:
    """Trains and writes the average into the family."""
    device = torch.device(options.device)
    few_steps = options.unet == "4step-unet"
    steps = options.steps or _STEPS[options.unet]
    text, noise, maps = load_text(device), Noise(device), EdgeMaps(device)
    unet = load_unet(device, FOUR_STEP_UNET if few_steps else None)
    loss = _guided_loss if few_steps else _diffusion_loss
    adapter: Any = load_adapter(device) if few_steps else make_adapter().to(device)
    averaged = average(adapter, 0.99)
    optimizer = torch.optim.AdamW(adapter.parameters(), lr=1e-3, weight_decay=0.0, betas=(0.9, 0.99), fused=True)
    schedule = cosine(optimizer, steps, warm_up=50)
    parts = {"adapter": adapter, "averaged": averaged, "optimizer": optimizer, "schedule": schedule}
    run = Run(f"adapter-{options.unet}", steps, parts)
    for _ in run:
        batch, edges = maps.batch(BATCH // parallel.size())
        error = loss(unet, noise, adapter(edges), edges, batch, text(batch.captions, batch.size))
        error.backward()
        parallel.share_gradients(adapter.parameters())
        nn.utils.clip_grad_norm_(adapter.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        averaged.update_parameters(adapter)
        run.report(loss=float(error.detach()))
    if parallel.rank() == 0:
        export.save(averaged.module, ADAPTER)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("unet", choices=_STEPS)


if __name__ == "__main__":
    parallel.launch(train, arguments(__doc__, steps=0, extend=_options))
