"""How modules share the device's memory: all there, each there while it works, or each layer while it works."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import psutil
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import nn

from dmd2_demo.device.offload import Carry, Stage, carry_to, pass_through
from dmd2_demo.errors import DeviceFull
from dmd2_demo.weights.lora import MergeableUNet
from dmd2_demo.weights.modules import LoadedTextEncoders

TIERS = ("resident", "offload", "sequential")

# Bytes that must be free for a tier: SDXL's two UNets, encoders, VAE and adapter; one UNet and its work.
_RESIDENT, _OFFLOAD = 12_600_000_000, 6_500_000_000

# What work at 1024 x 1024 takes beside weights, in bytes. Estimates from the shapes, not measured on a GPU.
_WORKING = {UNet2DConditionModel: 1_500_000_000, AutoencoderKL: 2_500_000_000}
_WORKING_ELSEWHERE = 200_000_000

# Libraries below torch say it in their own words, and so does its own allocator on a CPU.
_FULL = re.compile("ALLOC_FAILED|out of memory|can't allocate memory")

_FELL_TO = {
    "offload": "models now come to the device only for their work",
    "sequential": "each layer now comes to the device only for its work",
}


def tier_for(free: int) -> str:
    """The fastest tier that fits in `free` bytes."""
    return "resident" if free >= _RESIDENT else "offload" if free >= _OFFLOAD else "sequential"


def free_bytes(device: torch.device) -> int:
    """What could be allocated there now."""
    if device.type == "cpu":
        return int(psutil.virtual_memory().available)
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


@contextmanager
def full_is_said(tier: str) -> Iterator[None]:
    """Raises DeviceFull of that tier in place of torch's errors for memory that is full."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or _FULL.search(str(error)):
            raise DeviceFull(tier) from error
        raise


class Memory:
    """The tier of a device, of `tiers` that it has, the fastest first."""

    def __init__(
        self,
        device: torch.device,
        tier: str,
        *,
        tiers: tuple[str, ...] = TIERS,
        free: Callable[[torch.device], int] = free_bytes,
        carry: Carry | None = None,
    ) -> None:
        self.device, self.tier = device, tier
        self._tiers, self._free = tiers, free
        self._carry = carry or carry_to(device)
        self._stage = Stage(device, partial(free, device), self._carry)

    @property
    def home(self) -> torch.device:
        """Where parts are loaded to and wait."""
        return self.device if self.tier == "resident" else torch.device("cpu")

    def room(self) -> int:
        """The bytes that more parts may take, once the work has its own."""
        working = max(_WORKING.values()) if self.device.type != "cpu" and self.tier == "resident" else 500_000_000
        return self._free(self.home) - working

    def place(self, loaded: Any) -> None:
        """Prepares a part that was loaded to `home` for its work on the device."""
        if self.tier == "resident":
            return
        if isinstance(loaded, MergeableUNet):
            loaded.merges_on = self.device
        for module in modules_of(loaded):
            if self.tier == "offload":
                self._stage.place(module, _WORKING.get(type(module), _WORKING_ELSEWHERE))
            else:
                pass_through(module, self.device, self._carry)

    def fall(self, tier: str) -> str | None:
        """Goes to the tier below `tier`, unless that has happened; a sentence about it, None where there is none.

        Parts that were placed before must be dropped.
        """
        if tier == self._tiers[-1]:
            return None
        lower = self._tiers[self._tiers.index(tier) + 1]
        if self.tier == tier:
            self.tier = lower
        return f"The device's memory was full. To make it fit, {_FELL_TO[self.tier]}: pictures take longer."


def modules_of(loaded: Any) -> tuple[nn.Module, ...]:
    """The networks of a loaded part."""
    match loaded:
        case MergeableUNet():
            return (loaded.unet,)
        case LoadedTextEncoders():
            return loaded.text_encoder, loaded.text_encoder_2
        case nn.Module():
            return (loaded,)
        case _:
            return ()
