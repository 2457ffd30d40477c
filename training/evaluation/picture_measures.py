"""What is measured of pictures (n, 3, height, width) in -1..1 without any network."""

from __future__ import annotations

import torch
from torch.nn import functional

_CORNER = 20  # pixels
_STEEPEST = 0.02  # the share of neighbouring pixels that edges are measured by


def background_spread(pictures: torch.Tensor) -> float:
    """The standard deviation inside patches in the corners, colours 0..1: the median over corners and pictures."""
    far = slice(-_CORNER, None)
    near = slice(None, _CORNER)
    corners = torch.stack([pictures[..., down, across] for down in (near, far) for across in (near, far)])
    return float((corners / 2).std((-2, -1)).mean(-1).median())


def sharpness(pictures: torch.Tensor) -> float:
    """The mean of the steepest steps between neighbouring pixels, colours 0..1."""
    steps = [pictures.diff(dim=dim).abs().mean(1).flatten(1) / 2 for dim in (-1, -2)]
    joined = torch.cat(steps, dim=1)
    return float(joined.topk(int(_STEEPEST * joined.shape[1]), dim=1).values.mean())


def gradient_deviation(pictures: torch.Tensor, others: torch.Tensor) -> float:
    """Gradient magnitude similarity deviation (arXiv 1308.3052): 0 for equal pictures, the mean over them.

    It stands in for LPIPS, whose network would have to be fetched: it counts blurred and displaced outlines, and no
    evenness of colour. Brightness in 0..1, halved in size, Prewitt's gradients, as in the paper.
    """
    prewitt = torch.tensor([[1.0, 0.0, -1.0]] * 3) / 3
    kernels = torch.stack([prewitt, prewitt.T])[:, None]

    def magnitude(drawn: torch.Tensor) -> torch.Tensor:
        red, green, blue = ((drawn + 1) / 2).unbind(1)
        brightness = functional.avg_pool2d((0.299 * red + 0.587 * green + 0.114 * blue)[:, None], 2)
        return functional.conv2d(brightness, kernels).square().sum(1).sqrt()

    one, other, steady = magnitude(pictures), magnitude(others), 170 / 255**2
    similar = (2 * one * other + steady) / (one.square() + other.square() + steady)
    return float(similar.flatten(1).std(1, correction=0).mean())
