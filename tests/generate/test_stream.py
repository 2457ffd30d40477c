from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from dmd2_demo.errors import Cancelled
from dmd2_demo.generate.stream import streamed


def test_what_is_told_comes_out_while_the_work_goes_on() -> None:
    seen = threading.Event()

    def work(tell: Callable[[int], None]) -> None:
        tell(1)
        assert seen.wait(10)
        tell(2)

    words = streamed(work)
    assert next(words) == 1
    seen.set()
    assert list(words) == [2]


def test_what_the_work_raises_comes_out_after_what_it_told() -> None:
    def work(tell: Callable[[int], None]) -> None:
        tell(1)
        raise KeyError("lost")

    words = streamed(work)
    assert next(words) == 1
    with pytest.raises(KeyError, match="lost"):
        next(words)


def test_closing_stops_the_work_at_its_next_word() -> None:
    heard: list[BaseException] = []

    def work(tell: Callable[[int], None]) -> None:
        try:
            for word in range(1000):
                tell(word)
                threading.Event().wait(0.01)
        except Cancelled as error:
            heard.append(error)
            raise

    words = streamed(work)
    next(words)
    words.close()  # type: ignore[attr-defined]
    assert len(heard) == 1
