"""A picture on the way from one to another: between their prompts and between their noises."""

# Annotations hold objects here, not text: no `from __future__ import annotations`.

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.requests import TextToImage

Embedded = Mapping[str, torch.Tensor]


@dataclass(frozen=True, kw_only=True)
class Between(TextToImage):
    """The request's own picture at a `share` of 0, that of `other` at 1.

    Both are of one step, since later steps add noise of their own. DemoError where they differ in what can't be mixed.
    """

    other: TextToImage
    share: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if not len(self.schedule) == len(self.other.schedule) == 1:
            raise DemoError("Only pictures of one step can be blended into each other.")
        if self.size != self.other.size:
            raise DemoError("The two pictures differ in size. Only those of one size can be blended into each other.")
        if (self.spec(), self.lora_scales()) != (self.other.spec(), self.other.lora_scales()):
            raise DemoError("The two pictures differ in their styles or VAE, so they can't be blended into each other.")

    def parameters(self, picture: int = 0) -> dict[str, Any]:
        return super().parameters(picture) | {"morph": {"to": self.other.parameters(), "share": self.share}}


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
