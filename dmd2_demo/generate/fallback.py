"""A second try, in less memory, for what did not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from dmd2_demo.errors import DeviceFull, Tier

T = TypeVar("T")

Fallback = Callable[[Tier], str | None]
"""Frees memory once something did not fit in that tier. Gives what to tell the visitor, None if no tier is left."""


def no_fallback(tier: Tier) -> None:
    """Where memory is what it is."""


def with_fallback(make: Callable[[], T], fall_back: Fallback) -> tuple[T, tuple[str, ...]]:
    """What `make` gives, and what to tell the visitor. After one DeviceFull it falls a tier and makes it again.

    Raises DeviceFull where no tier is left or the second try does not fit either.
    """
    try:
        return make(), ()
    except DeviceFull as error:
        tier = error.tier
    # Past that block the error is gone, and with it the frames that kept the picture's tensors alive.
    notice = fall_back(tier)
    if notice is None:
        raise DeviceFull(tier)
    return make(), (notice,)
