"""Trains the canny T2I-Adapter: what it adds to frozen features makes pictures follow an edge map.

python -m training.adapter base          the published recipe: the diffusion loss on the base
python -m training.adapter 4step-unet    goes on from there with the generator that the page uses it with
"""

from __future__ import annotations

import argparse
from typing import Any

import torch
from diffusers import T2IAdapter
from torch import nn
from torch.nn import functional

from training import export, parallel
from training.base import predict
from training.edge_maps import EdgeMaps
from training.members import ADAPTER, FOUR_STEP_UNET, load_text, load_unet
from training.noise import Noise
from training.run import Run, arguments, average, cosine
from training.sampling import FOUR_STEPS

BATCH = 32
_GUIDED = FOUR_STEPS[:2]  # the page guides half of the four steps


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


def _times(few_steps: bool, count: int, device: torch.device) -> torch.Tensor:
    """The generator's guided times, or random ones that favour noise (T2I-Adapter's cubic): there layout is decided."""
    if few_steps:
        return torch.tensor(_GUIDED, device=device)[torch.randint(len(_GUIDED), (count,), device=device)]
    return ((1 - torch.rand(count, device=device) ** 3) * 999).long()


def train(options: Any) -> None:
    """Trains and writes the average into the family."""
    device = torch.device(options.device)
    few_steps = options.unet == "4step-unet"
    text, noise, maps = load_text(device), Noise(device), EdgeMaps(device)
    unet = load_unet(device, FOUR_STEP_UNET if few_steps else None)
    adapter: Any = load_adapter(device) if few_steps else make_adapter().to(device)
    averaged = average(adapter, 0.99)
    optimizer = torch.optim.AdamW(adapter.parameters(), lr=1e-3, weight_decay=0.0, betas=(0.9, 0.99), fused=True)
    schedule = cosine(optimizer, options.steps, warm_up=50)
    parts = {"adapter": adapter, "averaged": averaged, "optimizer": optimizer, "schedule": schedule}
    run = Run(f"adapter-{options.unet}", options.steps, parts)
    for _ in run:
        batch, edges = maps.batch(BATCH // parallel.size())
        times = _times(few_steps, len(edges), device)
        epsilon = torch.randn_like(batch.latents)
        condition = text(batch.captions, batch.size)
        predicted = predict(
            unet,
            noise.add(batch.latents, epsilon, times),
            times,
            condition,
            down_intrablock_additional_residuals=list(adapter(edges)),
        )
        error = functional.mse_loss(predicted, epsilon, reduction="none").mean((1, 2, 3))
        if few_steps:
            # As errors of the clean prediction, which is what the next step starts from; halfway, as in training
            # the generator itself, so that 999 does not outweigh all else.
            error = error / noise.ratio(times)[:, 0, 0, 0]
        error.mean().backward()
        parallel.share_gradients(adapter.parameters())
        nn.utils.clip_grad_norm_(adapter.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        averaged.update_parameters(adapter)
        run.report(loss=float(error.mean().detach()))
    if parallel.rank() == 0:
        export.save(averaged.module, ADAPTER)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("unet", choices=("base", "4step-unet"))


if __name__ == "__main__":
    parallel.launch(train, arguments(__doc__, steps=700, extend=_options))
