"""Distribution matching distillation (DMD2, arXiv 2405.14867), written from the paper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from training.diffusion.adversary import Adversary, telling_error
from training.diffusion.noise import Noise
from training.diffusion.prediction import predict
from training.diffusion.sampling import generate, guided_clean, simulate
from training.loop import parallel
from training.networks.precision import trainable
from training.networks.text import Condition

GUIDANCE = 3.0  # of the teacher at first; SDXL's was 8, which our small teacher cannot bear
_TELLING = 0.1  # weight of telling art from generated pictures beside the fake net's own error
_LATEST = 980  # the noisiest time that the two scores are compared at, as DMD2's


class Matching:
    """A generator, a frozen teacher, and the fake net that learns what the generator draws.

    The teacher is asked with `guidance`. By the `adversary` the generator is also drawn towards real art: a share
    `realism` of the matching gradient.
    """

    def __init__(
        self,
        generator: Any,
        teacher: Any,
        fake: Any,
        noise: Noise,
        generator_optimizer: torch.optim.Optimizer,
        fake_optimizer: torch.optim.Optimizer,
        adversary: Adversary,
        realism: float,
        guidance: float = GUIDANCE,
    ) -> None:
        self._adversary, self._realism, self._guidance = adversary, realism, guidance
        self.generator, self.teacher, self.fake, self.noise = generator, teacher, fake, noise
        self._generator_optimizer, self._fake_optimizer = generator_optimizer, fake_optimizer

    def generator_step(
        self, noisy: torch.Tensor, times: torch.Tensor, condition: Condition, beside: Callable[[], torch.Tensor]
    ) -> float:
        """One step towards the teacher's distribution, and down what `beside` returns.

        Returns the mean absolute difference of the two scores.
        """
        clean = generate(self.generator, self.noise, noisy, times, condition)
        gradient = self._gradient(clean.detach(), condition)
        error = functional.mse_loss(clean, clean.detach() - gradient, reduction="none") / 2
        # A clean prediction feels an epsilon error the more, the noisier its input: twenty times as much at 999 as
        # at 249. Undoing that gives every step of the schedule the same say.
        weight = self.noise.ratio(times)
        parallel.descend(self._generator_optimizer, (weight * error).mean() + beside(), trainable(self.generator))
        return float(gradient.abs().mean())

    @torch.no_grad()
    def _gradient(self, clean: torch.Tensor, condition: Condition) -> torch.Tensor:
        times = torch.randint(20, _LATEST, (len(clean),), device=clean.device)
        noisy = self.noise.add(clean, torch.randn_like(clean), times)
        fake = generate(self.fake, self.noise, noisy, times, condition)
        real = guided_clean(self.teacher, self.noise, noisy, times, condition, self._guidance)
        scale = (clean - real).abs().mean((1, 2, 3), keepdim=True)
        gradient = torch.nan_to_num((fake - real) / scale)
        with torch.enable_grad():
            towards_art = self._adversary.likeness_gradient(self.fake, self.noise, clean, times, condition)
        return gradient + self._realism * gradient.abs().mean() * towards_art

    def fake_step(self, clean: torch.Tensor, condition: Condition, art: torch.Tensor) -> float:
        """The fake net's denoising step on generated `clean`; returns its error.

        The adversary's head learns to tell that from noised `art` of the same captions, and the fake net with it.
        """
        count = len(clean)
        times = torch.randint(0, 1000, (count,), device=clean.device)
        epsilon = torch.randn_like(clean)
        noisy = self.noise.add(clean, epsilon, times)
        both = torch.cat([noisy, self.noise.add(art, torch.randn_like(art), times)])
        predicted = predict(self.fake, both, times.repeat(2), condition.repeat(2))[:count]
        error = functional.mse_loss(predicted, epsilon)
        telling = telling_error(self._adversary.heard(), count)
        parameters = [*trainable(self.fake), *self._adversary.parameters()]
        parallel.descend(self._fake_optimizer, error + _TELLING * telling, parameters)
        return float(error.detach())

    def round(
        self,
        condition: Condition,
        art: torch.Tensor,
        schedule: tuple[int, ...],
        fake_steps: int,
        generate_too: bool,
        beside: Callable[[], torch.Tensor] = lambda: torch.zeros(()),
    ) -> tuple[float, float]:
        """One simulated trajectory, which serves a generator step for each of its times.

        It starts from pure noise of the shape of `art`, latents of the condition's captions. Every generator step
        sees all times at once, each on its own part of the batch, and adds what `beside` returns to its error. The
        fake net takes `fake_steps` steps before each; with `generate_too` false it alone learns.
        """
        count, start = len(art), torch.randn_like(art)
        with torch.no_grad():
            inputs, outputs = simulate(self.generator, self.noise, condition, start, schedule)
        every = torch.tensor(schedule, device=start.device)
        difference = error = 0.0
        for turn in range(len(schedule)):
            for _ in range(fake_steps):
                drawn = torch.randint(len(schedule), (count,), device=start.device)
                error = self.fake_step(outputs[drawn, torch.arange(count)], condition, art)
            if generate_too:
                at = (torch.arange(count, device=start.device) + turn) % len(schedule)
                difference = self.generator_step(inputs[at, torch.arange(count)], every[at], condition, beside)
        return difference, error
