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


_MOST_AT_ONCE = 32  # threads that wait for somebody's answer


class Remembered(Generic[Key, Answer]):
    """Answers by key, errors among them, for `age` seconds each and `most` at a time: visitors choose the keys.

    Who asks while another does waits for that answer. Safe to call from many threads.
    """

    def __init__(self, age: float, most: int = 500, clock: Callable[[], float] = time.monotonic) -> None:
        self._age, self._most, self._clock = age, most, clock
        self._lock = threading.Lock()
        self._held: OrderedDict[Key, tuple[float, Future[Answer]]] = OrderedDict()
        self._threads = threading.BoundedSemaphore(_MOST_AT_ONCE)

    def get(self, key: Key, ask: Callable[[], Answer]) -> Answer:
        """What `ask` gave or raised for this key; asked now where that is too long ago."""
        future, is_new = self._future(key)
        if is_new:
            _settle(future, ask)
        return _result(future)

    def known(self, key: Key) -> Answer | None:
        """What was noted or given for this key; None where that is nothing, an error, or too long ago."""
        with self._lock:
            since, future = self._held.get(key, (0.0, None))
            if future is None or not future.done() or future.exception() or self._clock() - since > self._age:
                return None
            return future.result()

    def note(self, key: Key, answer: Answer) -> None:
        """Remembers an answer that came in another way."""
        self._forget(key)
        self.get(key, lambda: answer)

    def within(self, key: Key, ask: Callable[[], Answer], seconds: float) -> Answer:
        """The same, asked in a thread that keeps nobody.

        Raises TimeoutError where it takes longer than `seconds`, or where many such threads wait already.
        """
        future, is_new = self._future(key)
        if is_new and self._threads.acquire(blocking=False):
            # No pool: its threads would hold up the end of the program.
            threading.Thread(target=self._settle_apart, args=(future, ask), daemon=True).start()
        elif is_new:
            self._forget(key, future)
            future.set_exception(TimeoutError())
        return _result(future, seconds)

    def _settle_apart(self, future: Future[Answer], ask: Callable[[], Answer]) -> None:
        try:
            _settle(future, ask)
        finally:
            self._threads.release()

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

    def _forget(self, key: Key, future: Future[Answer] | None = None) -> None:
        with self._lock:
            if key in self._held and future in {None, self._held[key][1]}:
                del self._held[key]


def _settle(future: Future[Answer], ask: Callable[[], Answer]) -> None:
    try:
        future.set_result(ask())
    except BaseException as error:  # noqa: BLE001 - it is raised where the answer is wanted
        future.set_exception(error)


def _result(future: Future[Answer], seconds: float | None = None) -> Answer:
    error = future.exception(seconds)
    if error:
        # Each time that one error is raised it would remember who was told, with all that they hold.
        raise error.with_traceback(None)
    return future.result()
