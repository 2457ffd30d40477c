"""What a function hands to its callback, as an iterator: the way from a pipeline's steps to a generator's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event
from typing import TypeVar

from dmd2_demo.errors import Cancelled

T = TypeVar("T")


def streamed(work: Callable[[Callable[[T], None]], None]) -> Iterator[T]:
    """Yields what `work` tells, while it works in a thread of its own; raises what it raises.

    Once the iterator is closed, the next word that `work` says raises Cancelled in it, and closing waits for that.
    """
    told: SimpleQueue[tuple[T] | None] = SimpleQueue()  # None is the end
    closed = Event()

    def tell(item: T) -> None:
        if closed.is_set():
            raise Cancelled
        told.put((item,))

    def run() -> None:
        try:
            work(tell)
        finally:
            told.put(None)

    with ThreadPoolExecutor(1, thread_name_prefix="stream") as pool:
        running = pool.submit(run)
        try:
            while (item := told.get()) is not None:
                yield item[0]
        finally:
            closed.set()
        running.result()
