"""Answers that need not be asked for again at once."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

Key = TypeVar("Key")
Answer = TypeVar("Answer")


class Remembered(Generic[Key, Answer]):
    """Answers by key, errors among them, for `age` seconds each and `most` at a time.

    Who asks while another does waits for that answer. Safe to call from many threads.
    """

    def __init__(self, age: float, most: int = 2000, clock: Callable[[], float] = time.monotonic) -> None:
        self._age, self._most, self._clock = age, most, clock
        self._lock = threading.Lock()
        self._held: OrderedDict[Key, tuple[float, Future[Answer]]] = OrderedDict()

    def get(self, key: Key, ask: Callable[[], Answer]) -> Answer:
        """What `ask` gave or raised for this key; asked now where that is too long ago."""
        future, is_new = self._future(key)
        if is_new:
            _settle(future, ask)
        return future.result()

    def within(self, key: Key, ask: Callable[[], Answer], seconds: float) -> Answer:
        """The same, asked in a thread that keeps nobody. Raises TimeoutError where it takes longer than `seconds`."""
        future, is_new = self._future(key)
        if is_new:
            # No pool: its threads would hold up the end of the program.
            threading.Thread(target=_settle, args=(future, ask), daemon=True).start()
        return future.result(seconds)

    def _future(self, key: Key) -> tuple[Future[Answer], bool]:
        with self._lock:
            now = self._clock()
            since, future = self._held.get(key, (now, None))
            if future and (not future.done() or now - since <= self._age):
                return future, False
            self._held.pop(key, None)
            self._held[key] = now, Future()
            while len(self._held) > self._most:
                self._held.popitem(last=False)
            return self._held[key][1], True


def _settle(future: Future[Answer], ask: Callable[[], Answer]) -> None:
    try:
        future.set_result(ask())
    except BaseException as error:  # noqa: BLE001 - it is raised where the answer is wanted
        future.set_exception(error)
