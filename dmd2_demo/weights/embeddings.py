"""What text encoders made of prompts, kept for the next picture of the same words."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

MOST = 64
"""Prompts that are kept; SDXL's embeddings of one take a third of a megabyte."""


class KeptEmbeddings:
    """Of one pair of text encoders, and gone with them. For whoever leases them: one at a time."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def of(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What `make` gave for that key; it is called again only where that was longer ago than others."""
        if key not in self._kept:
            self._kept[key] = make()
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]
