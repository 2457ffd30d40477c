"""What is trained is what the pipelines' schedulers compute."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import DDIMScheduler, LCMScheduler

from training.diffusion.noise import Noise
from training.diffusion.sampling import FOUR_STEPS, ONE_STEP, simulate, solve
from training.networks.scheduler import make_scheduler
from training.networks.text import Condition

CPU = torch.device("cpu")
SHAPE = (2, 4, 8, 8)


def net(noisy: torch.Tensor, times: torch.Tensor, states: torch.Tensor, **_: Any) -> tuple[torch.Tensor]:
    """Some function of everything that a UNet's prediction depends on."""
    return (torch.tanh(noisy * 0.7 + times[:, None, None, None] / 1000 + states.mean((1, 2))[:, None, None, None]),)


def condition() -> Condition:
    torch.manual_seed(1)
    return Condition(torch.randn(2, 3, 5), torch.randn(2, 5), torch.ones(2, 6))


def test_few_steps_are_lcm_schedulers() -> None:
    made = condition()
    for schedule in (FOUR_STEPS, ONE_STEP):
        scheduler = LCMScheduler.from_config(make_scheduler().config)
        scheduler.set_timesteps(timesteps=list(schedule))
        torch.manual_seed(2)
        start = sample = torch.randn(SHAPE)
        torch.manual_seed(3)
        for time in scheduler.timesteps:
            epsilon = net(sample, time.expand(2), made.states)[0]
            sample = scheduler.step(epsilon, time, sample, return_dict=False)[0]
            if time == schedule[0]:
                second = sample
        torch.manual_seed(3)
        inputs, outputs = simulate(net, Noise(CPU), made, start, schedule)
        torch.testing.assert_close(outputs[-1], sample, atol=1e-4, rtol=1e-4)
        if len(schedule) > 1:
            torch.testing.assert_close(inputs[1], second, atol=1e-4, rtol=1e-4)


def test_many_steps_are_guided_ddim() -> None:
    made = condition()
    scheduler = DDIMScheduler.from_config(make_scheduler().config, clip_sample=False)
    scheduler.set_timesteps(10)
    torch.manual_seed(4)
    start = sample = torch.randn(SHAPE)
    for time in scheduler.timesteps:
        with_text = net(sample, time.expand(2), made.states)[0]
        without = net(sample, time.expand(2), torch.zeros_like(made.states))[0]
        sample = scheduler.step(without + 3 * (with_text - without), time, sample, return_dict=False)[0]
    torch.testing.assert_close(solve(net, Noise(CPU), made, start, 3, 10), sample, atol=1e-4, rtol=1e-4)
