"""What each visitor has running, and for some minutes what it made: a phone that locks comes back for it."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock
from typing import Any

from dmd2_demo.errors import Cancelled
from dmd2_demo.page.other_errors import sentence_of

Outputs = tuple[list[str], int, dict[str, Any]]
"""What a generating endpoint gives: paths of the pictures, the first one's seed, and all parameters.

These are the first one's; `pictures` in them has the prompt and the seed of each.
"""

_MINUTES = 10
_MOST_BYTES = 200_000_000  # of pictures that are kept


@dataclass(eq=False)
class Job:
    """A request that runs or ran.

    `maker` is the session that asked; `owner` the one that it is for by now. `outputs` is what it made so far, with
    files in `folder`; `error` a sentence that says why there is no more. `ended` is None while it runs. `kept` is
    whether somebody may come back for it.
    """

    maker: str
    owner: str
    folder: Path
    kept: bool = True
    stopped: Event = field(default_factory=Event)
    outputs: Outputs | None = None
    error: str = ""
    ended: float | None = None
    size: int = 0


class Jobs:
    """The requests of each visitor, so that Stop and who comes back reach one's own and nobody else's.

    `counted` is entered with each.
    """

    def __init__(
        self,
        minutes: float = _MINUTES,
        most_bytes: int = _MOST_BYTES,
        counted: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._counted = counted
        self._minutes, self._most_bytes = minutes, most_bytes
        self._lock = Lock()
        self._jobs: list[Job] = []  # the oldest first

    @contextmanager
    def running(self, session: str, *, kept: bool = True) -> Iterator[Job]:
        """One request of `session`, which runs while the block does. The last one that is to be `kept` is."""
        job = Job(session, session, Path(tempfile.mkdtemp(prefix="dmd2-")), kept)
        with self._lock:
            self._jobs.append(job)
        try:
            with self._counted():
                yield job
        except Exception as error:
            job.error = sentence_of(error)
            raise
        except GeneratorExit:  # between two pictures, where nobody waits for the next
            job.error = str(Cancelled())
            raise
        finally:
            with suppress(OSError):
                job.size = sum(file.stat().st_size for file in job.folder.iterdir())
            job.ended = time.monotonic()
            self._forget()

    def stop(self, session: str) -> None:
        """Sets the events of all that `session` has running."""
        with self._lock:
            for job in self._jobs:
                if job.owner == session and job.ended is None:
                    job.stopped.set()

    def take_over(self, before: str, now: str) -> Job | None:
        """The last job of the session that a visitor had before; it is the new one's from now on."""
        with self._lock:
            found = [job for job in self._jobs if job.owner == before] if before else []
            for job in found:
                job.owner = now
        return found[-1] if found else None

    def is_awaited(self, session: str) -> bool:
        """Whether something that `session` asked for runs for the one that came after it."""
        with self._lock:
            return any(job.maker == session != job.owner and job.ended is None for job in self._jobs)

    def _forget(self) -> None:
        """Removes what nobody can come back for, and of the rest the oldest that are too old or too much."""
        with self._lock:
            kept, size, seen = list[Job](), 0, set[str]()
            for job in reversed(self._jobs):
                if job.ended is not None:
                    size += job.size
                    aged = time.monotonic() - job.ended > 60 * self._minutes
                    useless = not job.kept or not (job.outputs or job.error)
                    if useless or job.owner in seen or aged or size > self._most_bytes:
                        shutil.rmtree(job.folder, ignore_errors=True)
                        size -= job.size
                        continue
                    seen.add(job.owner)
                kept.append(job)
            self._jobs = kept[::-1]
