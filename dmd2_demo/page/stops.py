"""Who pressed Stop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event


class Stops:
    """The running requests of each visitor, so that Stop reaches one's own and nobody else's."""

    def __init__(self) -> None:
        self._running: defaultdict[str, list[Event]] = defaultdict(list)

    @contextmanager
    def running(self, visitor: str) -> Iterator[Event]:
        """An event for one request of `visitor`, set by `stop` while the block runs."""
        event = Event()
        self._running[visitor].append(event)
        try:
            yield event
        finally:
            self._running[visitor].remove(event)

    def stop(self, visitor: str) -> None:
        """Sets the events of all that `visitor` has running."""
        for event in list(self._running.get(visitor, ())):
            event.set()
