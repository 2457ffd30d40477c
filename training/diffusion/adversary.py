"""DMD2's GAN term: a head on the middle of the fake net tells noised art from noised pictures of the generator."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from training.diffusion.noise import Noise
from training.diffusion.prediction import predict
from training.networks.text import Condition


class Adversary(nn.Module):
    """The head, on the middle of `fake`, a UNet whose forward passes it listens to. Only the head is its own."""

    def __init__(self, fake: Any) -> None:
        super().__init__()
        channels = fake.config["block_out_channels"][-1]
        self.head = nn.Sequential(
            nn.GroupNorm(8, channels),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 3, 1, 1),
            nn.SiLU(),
            nn.Conv2d(channels, 1, 1),
        )
        self._heard: list[torch.Tensor] = []
        fake.mid_block.register_forward_hook(lambda _module, _inputs, output: self._hear(output))

    def _hear(self, middle: torch.Tensor) -> None:
        self._heard[:] = [middle]

    def heard(self) -> torch.Tensor:
        """The logits (n,) of the fake net's latest pass: high where it looks like art."""
        logits: torch.Tensor = self.head(self._heard.pop().float()).mean((1, 2, 3))
        return logits

    def likeness_gradient(
        self, fake: Any, noise: Noise, clean: torch.Tensor, times: torch.Tensor, condition: Condition
    ) -> torch.Tensor:
        """Where `clean`, generated latents, should move away from to look more like art: of a mean size of 1."""
        moved = clean.detach().requires_grad_()
        predict(fake, noise.add(moved, torch.randn_like(clean), times), times, condition)
        (gradient,) = torch.autograd.grad(functional.softplus(-self.heard()).sum(), moved)
        return gradient / gradient.abs().mean().clamp(min=1e-8)


def telling_error(logits: torch.Tensor, generated: int) -> torch.Tensor:
    """The error of logits whose first `generated` are of generated pictures, the others of art."""
    return functional.softplus(logits[:generated]).mean() + functional.softplus(-logits[generated:]).mean()
