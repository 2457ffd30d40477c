"""Latents as generators leave them: what the decoders learn to take for what was meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from training.diffusion.noise import Noise
from training.diffusion.sampling import FOUR_STEPS, ONE_STEP, generate
from training.family.members import FOUR_STEP_UNET, ONE_STEP_UNET, load_text, load_unet

_SPREAD = 0.35  # the most noise on a latent of spread 1


def noised(latents: torch.Tensor) -> torch.Tensor:
    """`latents` (n, 4, height, width) with noise of a spread of their own each, half of it smooth."""
    spread = _SPREAD * torch.rand(len(latents), 1, 1, 1, device=latents.device)
    smooth = functional.interpolate(functional.avg_pool2d(torch.randn_like(latents), 2), scale_factor=2.0)
    # The mean of four has half their spread.
    noise = torch.where(torch.rand_like(spread) < 0.5, 2 * smooth, torch.randn_like(latents))
    return latents + spread * noise


@dataclass(frozen=True)
class Generators:
    """The few-step UNets, frozen, with what they need to draw."""

    text: Any
    noise: Noise
    four: Any
    one: Any

    @torch.no_grad()
    def redrawn(self, latents: torch.Tensor, captions: list[str], size: tuple[int, int]) -> torch.Tensor:
        """The 4-step UNet's last step on `latents` noised as before it: the same picture with the UNet's unevenness."""
        times = torch.full((len(latents),), FOUR_STEPS[-1], device=latents.device)
        noisy = self.noise.add(latents, torch.randn_like(latents), times)
        return generate(self.four, self.noise, noisy, times, self.text(captions, size))

    @torch.no_grad()
    def drawn(self, start: torch.Tensor, captions: list[str], size: tuple[int, int]) -> torch.Tensor:
        """What the 1-step UNet makes of pure noise `start`."""
        times = torch.full((len(start),), ONE_STEP[0], device=start.device)
        return generate(self.one, self.noise, start, times, self.text(captions, size))


def load_generators(device: torch.device) -> Generators:
    """Those of the family."""
    return Generators(
        load_text(device), Noise(device), load_unet(device, FOUR_STEP_UNET), load_unet(device, ONE_STEP_UNET)
    )
