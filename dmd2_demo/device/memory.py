"""How modules share the device's memory: all there, each there while it works, or each layer while it works."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import nn

from dmd2_demo.device.host_memory import host_memory
from dmd2_demo.device.offload import CopyToDevice, Onloader, copying_to, onload_each_layer
from dmd2_demo.errors import TIERS, DeviceFull, Tier

# Bytes that must be free for a tier: SDXL's two UNets, encoders, VAE and adapter; one UNet and its work.
_RESIDENT, _OFFLOAD = 12_600_000_000, 6_500_000_000

# What work takes where weights wait in the machine's own memory, in bytes.
_WORKING_IN_HOST = 500_000_000

# Libraries below torch say it in their own words, and so does its own allocator on a CPU. Where no engine of cuDNN's
# gets the memory that it asks for, torch says that it found none.
_FULL = re.compile("ALLOC(ATION)?_FAILED|out of memory|can't allocate memory|unable to find an engine")

_FELL_TO: dict[Tier, str] = {
    "offload": "models now come to the device only for their work",
    "sequential": "each layer now comes to the device only for its work",
}


def tier_for(free: int) -> Tier:
    """The fastest tier that fits in `free` bytes."""
    return "resident" if free >= _RESIDENT else "offload" if free >= _OFFLOAD else "sequential"


def free_bytes(device: torch.device) -> int:
    """What could be allocated there now."""
    if device.type == "cpu":
        return host_memory().available
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


@contextmanager
def raising_device_full(tier: Tier) -> Iterator[None]:
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
        tier: Tier,
        *,
        tiers: tuple[Tier, ...] = TIERS,
        free: Callable[[torch.device], int] = free_bytes,
        copy: CopyToDevice | None = None,
    ) -> None:
        self.device, self.tier = device, tier
        self._tiers, self._free = tiers, free
        self._copy = copy or copying_to(device)
        self._onloader = Onloader(device, partial(free, device), self._copy)

    @property
    def home(self) -> torch.device:
        """Where parts are loaded to and wait."""
        return self.device if self.tier == "resident" else torch.device("cpu")

    def room(self, working: int) -> int:
        """The bytes that more parts may take, once work that takes `working` bytes has its own."""
        return self._free(self.home) - (working if self.home == self.device else _WORKING_IN_HOST)

    def place(self, networks: Iterable[nn.Module], working: int) -> None:
        """Prepares networks that were loaded to `home` for their work on the device, which takes `working` bytes."""
        if self.tier == "resident":
            return
        for network in networks:
            if self.tier == "offload":
                self._onloader.place(network, working)
            else:
                onload_each_layer(network, self.device, self._copy)

    def fall_back(self, tier: Tier) -> str | None:
        """Goes to the tier below `tier`, unless that has happened; a sentence about it, None where there is none.

        Parts that were placed before must be dropped.
        """
        if tier == self._tiers[-1]:
            return None
        lower = self._tiers[self._tiers.index(tier) + 1]
        if self.tier == tier:
            self.tier = lower
        return f"The device's memory was full. To make it fit, {_FELL_TO[self.tier]}: pictures take longer."
