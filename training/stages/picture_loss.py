"""How far decoded pictures are from what was wanted."""

from __future__ import annotations

import torch
from torch.nn import functional

BACKGROUND = 0.3  # weight of `unevenness` beside `pixel_error`, for the 1-step UNet's pictures
_NEAR = 0.12  # of -1..1: what differs less from the background's colour is background


def pixel_error(drawn: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """L1, steps from pixel to pixel, and squares."""
    error = drawn - wanted
    edges = (error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()) / 2
    return error.abs().mean() + 0.5 * edges + 0.5 * functional.mse_loss(drawn, wanted)


def unevenness(drawn: torch.Tensor, colours: torch.Tensor) -> torch.Tensor:
    """How far what is nearly of the background's colour (n, 3, 1, 1) is from it."""
    error = (drawn - colours).abs()
    background = error.detach().amax(1, keepdim=True) < _NEAR
    return (background * error).mean()


def psnr(drawn: torch.Tensor, wanted: torch.Tensor) -> float:
    """Of all pictures (n, 3, height, width) together, in dB; both are -1..1."""
    return float(10 * torch.log10(4 / functional.mse_loss(drawn, wanted)))
