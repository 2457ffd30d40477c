"""The last live picture of each visitor, as a request: it can be kept or finished."""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Lock

from dmd2_demo.generate.request import Request

FORGOTTEN = 600.0
"""Seconds that one is kept."""

_MOST_BYTES = 200_000_000  # of the pictures that they were made from, which count with those of requests that wait
_MOST = 10_000


class LastLive:
    """By session. The oldest go where their pictures are too large together, or where they are too many."""

    def __init__(self, seconds: float = FORGOTTEN, most_bytes: int = _MOST_BYTES) -> None:
        self._seconds, self._most_bytes = seconds, most_bytes
        self._lock = Lock()
        self._last: OrderedDict[str, tuple[float, Request]] = OrderedDict()  # the oldest first

    def keep(self, session: str, request: Request) -> None:
        """Takes the place of what that session had. Of "", which is no session, nothing is kept."""
        if not session:
            return
        with self._lock:
            self._last.pop(session, None)
            self._last[session] = (time.monotonic(), request)
            total = sum(_bytes_of(each) for _, each in self._last.values())
            while len(self._last) > 1 and (total > self._most_bytes or len(self._last) > _MOST):
                total -= _bytes_of(self._last.popitem(last=False)[1][1])
            self._forget()

    def of(self, session: str) -> Request | None:
        """What it had last, None where that was too long ago."""
        with self._lock:
            self._forget()
            return self._last.get(session, (0.0, None))[1]

    def _forget(self) -> None:
        while self._last and time.monotonic() - next(iter(self._last.values()))[0] > self._seconds:
            self._last.popitem(last=False)


def _bytes_of(request: Request) -> int:
    image = getattr(request, "image", None)
    return 4 * image.width * image.height if image else 0
