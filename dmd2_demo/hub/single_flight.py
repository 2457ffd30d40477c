"""Several who want the same, and one who gets it for all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dmd2_demo.progress import Progress, Report

_PATIENCE = 0.5  # seconds between two words to somebody who waits


@dataclass
class Turn:
    """One at a time fetches a file; the others are told how far it is."""

    latest: Progress
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def taken(self, report: Report) -> Iterator[Report]:
        """Waits for one's turn, telling `report`, which may raise to end the wait; gives what tells the others too."""

        def tell(progress: Progress) -> None:
            self.latest = progress
            report(progress)

        while not self.lock.acquire(timeout=_PATIENCE):
            report(self.latest)
        try:
            yield tell
        finally:
            self.lock.release()
