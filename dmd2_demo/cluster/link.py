"""The page's link to the cluster: a process of its own, which is begun anew where it ended."""

from __future__ import annotations

import itertools
import time
from contextlib import suppress
from importlib.util import find_spec
from multiprocessing import get_context
from queue import Empty, SimpleQueue
from threading import Lock, Thread

from dmd2_demo.cluster.driver import drive
from dmd2_demo.cluster.words import Ask, Connected, Gone, Ready, Word
from dmd2_demo.errors import DemoError
from dmd2_demo.settings import Settings

_PATIENCE = 60.0  # seconds, to join a cluster


class Call:
    """Something that is asked; closed, it is stopped."""

    def __init__(self, link: Link, number: int) -> None:
        self._link, self._number = link, number
        self._words: SimpleQueue[Word] = SimpleQueue()

    def next(self, seconds: float) -> Word | None:
        """The next word; None where there is none for so long."""
        try:
            return self._words.get(timeout=seconds)
        except Empty:
            return None

    def put(self, word: Word) -> None:
        """What came back."""
        self._words.put(word)

    def close(self) -> None:
        """Nothing more is wanted of it."""
        self._link.stop(self._number)


class Link:
    """One process, and all that is asked through it. DemoError where Ray is not installed.

    `before` is what the cluster had when it was joined first.
    """

    def __init__(self, address: str, settings: Settings, before: Connected | None = None) -> None:
        if find_spec("ray") is None:
            raise DemoError("--cluster needs Ray, which is not installed: pip install -r requirements-cluster.txt")
        self._to, self._before = (address, settings), before
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=drive, args=(theirs, address, settings, before), daemon=True)
        self._process.start()
        theirs.close()
        self._first: SimpleQueue[Connected | Gone] = SimpleQueue()
        self._lock = Lock()
        self._numbers = itertools.count()
        self._calls: dict[int, Call] = {}
        self._gone: Gone | None = None
        self.replicas = 0
        """How many were ready a moment ago."""
        self.ended: float | None = None
        """By the monotonic clock; None where something can be asked."""
        Thread(target=self._read, name="cluster", daemon=True).start()

    def connected(self) -> Connected:
        """What the cluster has. DemoError where it can't be joined."""
        try:
            word = self._first.get(timeout=_PATIENCE)
        except Empty:
            self.close()
            word = Gone(f"it did not answer in {_PATIENCE:g} seconds")
        if isinstance(word, Gone):
            raise DemoError(f"The Ray cluster can't be joined: {word.why.rstrip('.')}.")
        return word

    def ask(self, ask: Ask) -> Call:
        """Begins it."""
        with self._lock:
            number = next(self._numbers)
            call = self._calls[number] = Call(self, number)
            if self._gone:
                call.put(self._gone)
                return call
            with suppress(OSError):  # the reader sees it, too
                self._connection.send((number, ask))
        return call

    def stop(self, number: int) -> None:
        """What comes of it is dropped from now on."""
        with self._lock:
            if self._calls.pop(number, None) and not self._gone:
                with suppress(OSError):
                    self._connection.send((number, None))

    def again(self) -> Link:
        """Another one to the same cluster, or to what took its place: what is started there is as it was before."""
        return Link(*self._to, self._before)

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.join()

    def _read(self) -> None:
        gone = Gone("its head is lost, or does not answer")
        with suppress(EOFError, OSError):
            while True:
                number, word = self._connection.recv()
                if number is not None:
                    with self._lock:
                        call = self._calls.get(number)
                    if call:
                        call.put(word)
                    continue
                if isinstance(word, Ready):
                    self.replicas = word.replicas
                    continue
                self._first.put(word)
                if isinstance(word, Gone):
                    gone = word
                    break
                self._before = self._before or word
        self._first.put(gone)
        with self._lock:
            self._gone, self.ended = gone, time.monotonic()
            for call in self._calls.values():
                call.put(gone)
            self._connection.close()
