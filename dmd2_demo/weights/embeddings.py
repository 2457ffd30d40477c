"""What text encoders made of prompts, kept for the next picture of the same words."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

import torch

MOST_BYTES = 32_000_000
"""What is kept; SDXL's embeddings of a prompt take a third of a megabyte, of the longest ten."""

Embeddings = dict[str, torch.Tensor]


class KeptEmbeddings:
    """Of one pair of text encoders, and gone with them. For whoever leases them: one at a time."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Embeddings] = OrderedDict()

    def of(self, key: Hashable, make: Callable[[], Embeddings]) -> Embeddings:
        """What `make` gave for that key; it is called again only where that was longer ago than others."""
        if key not in self._kept:
            self._kept[key] = make()
            while len(self._kept) > 1 and sum(map(_bytes, self._kept.values())) > self._most:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


def _bytes(embeddings: Embeddings) -> int:
    return sum(tensor.nbytes for tensor in embeddings.values())
