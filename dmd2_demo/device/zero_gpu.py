"""Where parts are on ZeroGPU: on a device that is only promised until a fork has it."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import torch
from torch import nn

from dmd2_demo.device.attention import Attention
from dmd2_demo.device.memory import Memory
from dmd2_demo.device.placement import Placement


class DeferredMemory(Memory):
    """A large device that takes whole modules and can't be read into or asked anything."""

    def __init__(self, device: torch.device) -> None:
        super().__init__(device, "resident", tiers=("resident",), free=lambda _: sys.maxsize)

    @property
    def home(self) -> torch.device:
        return torch.device("cpu")

    def place(self, networks: Iterable[nn.Module], working: int) -> None:  # noqa: ARG002 - a Memory's signature
        """Moves them."""
        for network in networks:
            network.to(self.device)


def choose() -> Placement:
    """Half precision, everything there, PyTorch's attention."""
    device = torch.device("cuda")
    return Placement(device, torch.float16, Attention("sdpa"), DeferredMemory(device))
