"""Batches that serve more than once, where making one takes longer than learning from it."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Batch = TypeVar("Batch")


class Replay(Generic[Batch]):
    """What `make` makes: a new one each `serves` times, and between them random ones of the last `kept`."""

    def __init__(self, make: Callable[[], Batch], serves: int = 4, kept: int = 64) -> None:
        self._make, self._serves = make, serves
        self._batches: deque[Batch] = deque(maxlen=kept)
        self._taken = 0

    def next(self) -> Batch:
        """The next one."""
        fresh = self._taken % self._serves == 0
        self._taken += 1
        if fresh:
            self._batches.append(self._make())
            return self._batches[-1]
        return random.choice(self._batches)
