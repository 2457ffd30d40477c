"""Which device computes, in which precision, with which attention, and how its memory is shared."""

from __future__ import annotations

import gc
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from dmd2_demo.device import attention, precision
from dmd2_demo.device.attention import Attention
from dmd2_demo.device.memory import Memory, free_bytes, tier_for
from dmd2_demo.errors import OutOfMemory, Tier
from dmd2_demo.progress import in_bytes

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Placement:
    """Where and how modules compute."""

    device: torch.device
    dtype: torch.dtype
    attention: Attention
    memory: Memory

    def place(self, networks: Sequence[nn.Module], working: int) -> None:
        """Prepares networks that were loaded to the memory's home for their work, which takes `working` bytes."""
        for network in networks:
            self.attention.place(network)
        self.memory.place(networks, working)

    def room(self, working: int) -> int:
        """The bytes that more parts may take now, beside work that takes `working` bytes in half precision."""
        return self.memory.room(self._working(working))

    def require_room(self, size: int, working: int) -> None:
        """Raises OutOfMemory where parts of `size` bytes and that work don't fit into a CPU's memory.

        Nobody else would: there the system ends the process. A GPU says so itself, and its room is an estimate.
        """
        free = self.memory.room(0)
        needed = self._working(working)
        if self.device.type == "cpu" and size + needed > free:
            models = f"{in_bytes(size)} for models and " if size else ""
            smaller = " A smaller picture may fit." if size < free else ""
            raise OutOfMemory(
                f"This machine has too little memory for this: it takes {models}{in_bytes(needed)} for the picture, "
                f"and {in_bytes(max(0, free))} can be had.{smaller}"
            )

    def _working(self, in_half: int) -> int:
        return in_half * self.dtype.itemsize // 2

    def described(self) -> dict[str, str]:
        """For the operator."""
        return {
            "precision": str(self.dtype).removeprefix("torch."),
            "memory": self.memory.tier,
            "attention": self.attention.kernel,
        }


def choose(
    memory: Tier | Literal["auto"] = "auto",
    wanted_attention: str = "auto",
    wanted_precision: str = "auto",
    *,
    has_gpu: bool = True,
    fastest_on_cpu: bool = False,
) -> Placement:
    """CUDA where there is one that works, else the CPU. `memory` is a tier or "auto", by what is free now.

    The precision is the one wanted, else what `precision` chooses: on a CPU the faster one with `fastest_on_cpu`, and
    float32 without it.
    """
    device = torch.device("cuda" if has_gpu and torch.cuda.is_available() else "cpu")
    if wanted_precision != "auto":
        dtype = precision.BY_NAME[wanted_precision]
    elif device.type == "cpu" and fastest_on_cpu:
        dtype = precision.choose_fastest_on_cpu()
    else:
        dtype = precision.choose(device)
    kernel = attention.choose(wanted_attention, device, dtype, attention.xformers_trouble)
    if kernel.note:
        _log.warning(kernel.note)
    if device.type == "cpu":  # it has no second memory to wait in
        return Placement(device, dtype, kernel, Memory(device, "resident", tiers=("resident",)))
    tier = tier_for(free_bytes(device)) if memory == "auto" else memory
    return Placement(device, dtype, kernel, Memory(device, tier))


def release() -> None:
    """Returns freed memory to the device."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
