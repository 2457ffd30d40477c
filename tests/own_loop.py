"""An event loop of a test's own: browser tests that ran before have left a running one in the thread of all tests."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import anyio

T = TypeVar("T")


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What `main` returns or raises, run in a thread of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(anyio.run, main).result()
