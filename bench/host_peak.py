"""How much of the machine's memory this process held at the most: its own, and pages of files that it maps."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_STATUS = Path("/proc/self/status")
_EVERY = 0.05  # seconds


@dataclass
class HostPeak:
    """Watches while the block runs (Linux only). In bytes.

    `own` can't be taken away; `mapped` pages the system reads again from their files where it wants the memory for
    something else; `both` is the most of both at one moment.
    """

    own: int = 0
    mapped: int = 0
    both: int = 0

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        over = False
        while not over:
            over = self._over.wait(_EVERY)  # once more at the end: a block may be shorter than that
            own, mapped = _held()
            self.own, self.mapped = max(self.own, own), max(self.mapped, mapped)
            self.both = max(self.both, own + mapped)


def _held() -> tuple[int, int]:
    status = dict(line.split(":", 1) for line in _STATUS.read_text(encoding="utf-8").splitlines() if ":" in line)
    anonymous, file, shared = (int(status[f"Rss{kind}"].split()[0]) * 1024 for kind in ("Anon", "File", "Shmem"))
    return anonymous + shared, file
