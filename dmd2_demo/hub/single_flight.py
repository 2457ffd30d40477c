"""Several who want the same, and one who gets it for all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dmd2_demo.progress import Progress, Report

_PATIENCE = 0.5  # seconds between two words to somebody who waits


@dataclass
class SingleFlight:
    """One at a time fetches a file; the others are told how far it is."""

    latest: Progress
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def joined(self, report: Report) -> Iterator[Report]:
        """Waits until nobody else fetches, telling `report`, which may raise to end the wait.

        Gives a report that tells those who wait as well.
        """

        def tell(progress: Progress) -> None:
            self.latest = progress
            report(progress)

        while not self.lock.acquire(timeout=_PATIENCE):
            report(self.latest)
        try:
            yield tell
        finally:
            self.lock.release()
