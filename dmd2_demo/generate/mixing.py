"""What lies between two prompts, and between two noises."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

from dmd2_demo.errors import DemoError

Embedded = Mapping[str, torch.Tensor]


def mixed(one: Embedded, other: Embedded, share: float) -> dict[str, torch.Tensor]:
    """Embeddings on the straight line between two prompts'. DemoError where those are read in unlike many chunks."""
    if any(one[name].shape != other[name].shape for name in one):
        raise DemoError("One of the prompts is too long beside the other for their pictures to be blended.")
    return {name: torch.lerp(one[name], other[name], share) for name in one}


def slerp(one: torch.Tensor, other: torch.Tensor, share: float) -> torch.Tensor:
    """Noise on the arc between two noises, which is as strong as they are: a straight line would pass near zero.

    Exactly `one` at 0 and `other` at 1. Shoemake, Animating rotation with quaternion curves, 1985.
    """
    if share in (0, 1):
        return other if share else one
    cosine = torch.nn.functional.cosine_similarity(one.flatten().float(), other.flatten().float(), dim=0)
    angle = math.acos(max(-1.0, min(float(cosine), 1.0)))
    if math.sin(angle) < 1e-4:  # the same noise
        return torch.lerp(one, other, share)
    return (math.sin((1 - share) * angle) * one + math.sin(share * angle) * other) / math.sin(angle)
