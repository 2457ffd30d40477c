"""Where parts are on ZeroGPU: on a device that is only promised until a fork has it."""

from __future__ import annotations

import sys
from typing import Any

import torch

from dmd2_demo.device.attention import Attention
from dmd2_demo.device.memory import Memory, modules_of
from dmd2_demo.device.placement import Placement


class PromisedMemory(Memory):
    """A large device that takes whole modules and can't be read into or asked anything."""

    def __init__(self, device: torch.device) -> None:
        super().__init__(device, "resident", tiers=("resident",), free=lambda _: sys.maxsize)

    @property
    def home(self) -> torch.device:
        return torch.device("cpu")

    def place(self, loaded: Any) -> None:
        """Moves the part."""
        for module in modules_of(loaded):
            module.to(self.device)


def choose() -> Placement:
    """Half precision, everything there, PyTorch's attention."""
    device = torch.device("cuda")
    return Placement(device, torch.float16, Attention("sdpa"), PromisedMemory(device))
