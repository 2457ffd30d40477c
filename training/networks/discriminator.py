"""Tells drawn art from decoded, patch by patch."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

_CHANNELS = (3, 32, 64, 96)


class Discriminator(nn.Module):
    """PatchGAN (arXiv 1611.07004) with spectral norms: pictures (n, 3, height, width) to features and logits."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(fewer, more, 4, 2, 1)) for fewer, more in pairwise(_CHANNELS)
        )
        self.head = spectral_norm(nn.Conv2d(_CHANNELS[-1], 1, 3, 1, 1))

    def forward(self, pixels: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Each layer's features, and a logit for each 8 x 8 pixels: high where it looks drawn."""
        features, current = [], pixels
        for layer in self.layers:
            current = nn.functional.leaky_relu(layer(current), 0.2)
            features.append(current)
        return features, self.head(current)
