"""What each visitor has running."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock


class Jobs:
    """The running requests of each visitor, so that Stop reaches one's own and nobody else's."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: dict[str, list[Event]] = {}

    @contextmanager
    def running(self, visitor: str) -> Iterator[Event]:
        """An event for one request of `visitor`, set by `stop` while the block runs."""
        event = Event()
        with self._lock:
            self._running.setdefault(visitor, []).append(event)
        try:
            yield event
        finally:
            with self._lock:
                self._running[visitor].remove(event)
                if not self._running[visitor]:
                    del self._running[visitor]

    def stop(self, visitor: str) -> None:
        """Sets the events of all that `visitor` has running."""
        with self._lock:
            for event in self._running.get(visitor, ()):
                event.set()
