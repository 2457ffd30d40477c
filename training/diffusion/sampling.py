"""Sampling on plain networks as the pipelines do it: few steps as LCMScheduler, many as a guided solver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from training.diffusion.noise import Noise
from training.diffusion.prediction import predict
from training.networks.text import Condition

FOUR_STEPS = (999, 749, 499, 249)
ONE_STEP = (399,)


def latent_shape(count: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Of latents for pictures of `size` (width, height)."""
    return count, 4, size[1] // 8, size[0] // 8


def generate(
    unet: Any, noise: Noise, noisy: torch.Tensor, times: torch.Tensor, condition: Condition, **more: Any
) -> torch.Tensor:
    """The clean latents that a generator makes of `noisy` in one call, at `times` (n,). `more` goes to the UNet.

    LCMScheduler's boundary scalings differ from this by less than 1e-7 at times of 249 and more.
    """
    return noise.clean(noisy, predict(unet, noisy, times, condition, **more), times)


def simulate(
    unet: Any,
    noise: Noise,
    condition: Condition,
    start: torch.Tensor,
    schedule: tuple[int, ...],
    guide: Callable[[int], dict[str, Any]] = lambda _: {},
) -> tuple[torch.Tensor, torch.Tensor]:
    """LCMScheduler's way through `schedule` from pure noise: each step's input and its clean output.

    Both are (steps, n, ...). The last output is the picture; the inputs are what DMD2's backward simulation
    trains on. `guide` tells what else the UNet is given at a step. Gradients flow from end to start.
    """
    inputs, outputs = [start], []
    for step, time in enumerate(schedule):
        times = torch.full((len(start),), time, device=start.device)
        outputs.append(generate(unet, noise, inputs[-1], times, condition, **guide(step)))
        if step + 1 < len(schedule):
            following = torch.full_like(times, schedule[step + 1])
            inputs.append(noise.add(outputs[-1], torch.randn_like(start), following))
    return torch.stack(inputs), torch.stack(outputs)


@torch.no_grad()
def guided_clean(
    unet: Any, noise: Noise, noisy: torch.Tensor, times: torch.Tensor, condition: Condition, guidance: float
) -> torch.Tensor:
    """The clean latents that a teacher sees in `noisy`, with classifier-free guidance."""
    count = len(noisy)
    kept = torch.cat([torch.ones(count), torch.zeros(count)]).to(noisy.device)
    both = condition.repeat(2).keep(kept)
    with_text, without = predict(unet, noisy.repeat(2, 1, 1, 1), times.repeat(2), both).chunk(2)
    return noise.clean(noisy, without + guidance * (with_text - without), times)


@torch.no_grad()
def solve(
    unet: Any, noise: Noise, condition: Condition, start: torch.Tensor, guidance: float, steps: int
) -> torch.Tensor:
    """The picture that the teacher's probability flow leads to from `start`: DDIM, trailing times."""
    schedule = [round(1000 * (steps - step) / steps) - 1 for step in range(steps)]
    noisy = start
    for step, time in enumerate(schedule):
        times = torch.full((len(start),), time, device=start.device)
        clean = guided_clean(unet, noise, noisy, times, condition, guidance)
        if step + 1 == steps:
            return clean
        noisy = noise.add(clean, noise.epsilon(noisy, clean, times), torch.full_like(times, schedule[step + 1]))
    raise ValueError("steps must be at least 1")
