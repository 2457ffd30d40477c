"""What strangers sent is opened in processes of their own, which end where that takes too long or too much memory.

No bound on what a file says of itself does that: a decoder in C can be kept busy for hours by a small file, and holds
Python's lock meanwhile.
"""

from __future__ import annotations

import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from queue import Empty, LifoQueue
from typing import TypeVar, cast

import psutil

from dmd2_demo.errors import DemoError

A = TypeVar("A")
T = TypeVar("T")

CPU_SECONDS = 10.0
"""What one file may take of a processor: twice what the largest picture takes of a slow one."""

SECONDS = 30.0
"""What one file may take in all, on a machine that is busy with others too."""

_MEMORY = 2 * 2**30  # bytes beyond what an idle process has
_MOST_AT_ONCE = 2
_LOOK = 0.5  # seconds from one look at a process to the next
_PATIENCE = 60.0  # seconds, for a process to start and for a free one

TOO_SLOW = "The picture took too long to open."
TOO_MUCH = "The picture takes too much memory to open."
_CRASHED = "The picture can't be opened: it is damaged, or too large for this machine."
_CROWDED = "Many pictures are being opened at the moment. Please try again."


def apart(function: Callable[[A], T], argument: A) -> T:
    """What `function`, which a module has by name, returns or raises elsewhere.

    DemoError, in a sentence about a picture, where that takes more than `CPU_SECONDS`, `SECONDS` or bounded memory.
    """
    try:
        worker = _free.get(timeout=_PATIENCE)
    except Empty:
        raise DemoError(_CROWDED) from None
    try:
        if worker is None or not worker.alive:
            worker = _Worker()
        return worker.call(function, argument)
    finally:
        _free.put(worker if worker and worker.alive else None)


class _Worker:
    """A process that does one thing after the other."""

    def __init__(self) -> None:
        context = get_context("spawn")  # a fork of many threads may lock itself up
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self._watched = psutil.Process(self._process.pid)
        self._receive(_PATIENCE, _PATIENCE)

    @property
    def alive(self) -> bool:
        """Whether it can be called again."""
        # multiprocessing takes a process for alive whose end somebody else has waited for.
        return not self._connection.closed and self._process.is_alive() and self._watched.is_running()

    def call(self, function: Callable[[A], T], argument: A) -> T:
        """As `apart`; afterwards it may be alive no more."""
        with suppress(OSError):  # where it ended meanwhile, nothing comes back
            self._connection.send((function, argument))
        value, error = self._receive(SECONDS, CPU_SECONDS)
        if error:
            raise error
        return cast("T", value)

    def _receive(self, seconds: float, cpu_seconds: float) -> tuple[object, Exception | None]:
        deadline = time.monotonic() + seconds
        with suppress(EOFError, OSError, psutil.Error):
            most = self._cpu_seconds() + cpu_seconds
            while not self._connection.poll(_LOOK):
                if time.monotonic() > deadline or self._cpu_seconds() > most:
                    self._end()
                    raise DemoError(TOO_SLOW)
            answer: tuple[object, Exception | None] = self._connection.recv()
            return answer
        self._end()
        raise DemoError(_CRASHED)

    def _cpu_seconds(self) -> float:
        """What it took of a processor since it began."""
        taken = self._watched.cpu_times()
        return float(taken.user + taken.system)

    def _end(self) -> None:
        self._connection.close()
        self._process.kill()
        self._process.join()
        with suppress(ValueError):  # where another thread, which starts a process, waited for the end of this one
            self._process.close()


# The last one used comes first: a second one starts where two are needed.
_free: LifoQueue[_Worker | None] = LifoQueue()
for _ in range(_MOST_AT_ONCE):
    _free.put(None)


def _serve(connection: Connection) -> None:
    """The life of such a process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the page ends it
    _bound_memory()
    connection.send((None, None))
    with suppress(EOFError, OSError):
        while True:
            function, argument = connection.recv()
            connection.send(_answer(function, argument))


def _answer(function: Callable[[A], T], argument: A) -> tuple[T | None, Exception | None]:
    try:
        return function(argument), None
    except DemoError as error:
        return None, error
    except MemoryError:
        return None, DemoError(TOO_MUCH)
    except Exception:  # noqa: BLE001 - raised anew where it was asked for
        return None, RuntimeError(traceback.format_exc())


def _bound_memory() -> None:
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - there is none on Windows

        most = psutil.Process().memory_info().vms + _MEMORY
        with suppress(OSError, ValueError):  # macOS has no such limit
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
