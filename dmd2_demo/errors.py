"""What may go wrong and be told to a visitor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Tier = Literal["resident", "offload", "sequential"]
"""How modules share a device's memory, the fastest first: all there, each there while it works, or each layer."""

TIERS: tuple[Tier, ...] = get_args(Tier)


class DemoError(Exception):
    """A sentence that a visitor may read and understand; nothing was lost.

    Everything that can fail because of a request, a file, a network or a full machine raises this. Anything
    else that reaches the page is a bug of ours.
    """


class OutOfMemory(DemoError):
    """The device has no room for this picture or model."""


class DeviceFull(OutOfMemory):
    """The device's memory was full in that tier; a lower one may do."""

    def __init__(self, tier: Tier) -> None:
        super().__init__("The device has too little memory for this. A smaller picture may fit.")
        self.tier = tier


class Cancelled(DemoError):
    """The visitor pressed Stop."""

    def __init__(self) -> None:
        super().__init__("Stopped.")


@dataclass(frozen=True)
class Failure:
    """What another process gives in place of an exception, of which it can't: its sentence, None where unforeseen."""

    sentence: str | None
