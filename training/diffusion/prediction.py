"""The UNet's epsilon, and the error that it is trained by."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from training.diffusion.noise import Noise
from training.networks.precision import autocast
from training.networks.text import Condition

_DROPPED = 0.1  # captions left out, for guidance
_OFFSET = 0.1  # noise shared by a whole channel, so that flat backgrounds can be of any colour


def predict(
    unet: nn.Module, noisy: torch.Tensor, times: torch.Tensor, condition: Condition, **more: Any
) -> torch.Tensor:
    """The UNet's epsilon."""
    added = {"text_embeds": condition.pooled, "time_ids": condition.time_ids}
    with autocast(noisy.device):
        output = unet(noisy, times, condition.states, added_cond_kwargs=added, return_dict=False, **more)[0]
    epsilon: torch.Tensor = output.float()
    return epsilon


def denoising_loss(unet: nn.Module, noise: Noise, clean: torch.Tensor, condition: Condition) -> torch.Tensor:
    """Min-SNR weighted epsilon error at uniform times, of `clean` latents."""
    times = torch.randint(0, 1000, (len(clean),), device=clean.device)
    epsilon = torch.randn_like(clean) + _OFFSET * torch.randn_like(clean[:, :, :1, :1])
    kept = (torch.rand(len(clean), device=clean.device) >= _DROPPED).to(clean.dtype)
    predicted = predict(unet, noise.add(clean, epsilon, times), times, condition.keep(kept))
    error = functional.mse_loss(predicted, epsilon, reduction="none").mean((1, 2, 3))
    return (noise.min_snr(times) * error).mean()
