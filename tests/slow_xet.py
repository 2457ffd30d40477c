"""Xet over a line that is slow enough to be cut."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from dmd2_demo.hub.xet import XetStream

_PIECE = 1_000_000
_group = XetStream._group


class _SlowGroup:
    """A group of streams that gives a megabyte ten times a second."""

    def __init__(self, stream: XetStream) -> None:
        self._group: Any = _group(stream)
        self.abort = self._group.abort

    def download_stream(self, info: Any, start: int) -> Iterator[bytes]:
        """The bytes from `start`, in pieces."""
        for chunk in self._group.download_stream(info, start=start):
            for begin in range(0, len(chunk), _PIECE):
                time.sleep(0.1)
                yield chunk[begin : begin + _PIECE]


def slow_group(stream: XetStream) -> Any:
    """In place of `XetStream._group`."""
    return _SlowGroup(stream)
