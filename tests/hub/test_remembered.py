"""What is not asked again at once, and how little of it is kept: visitors choose what is asked for."""

from __future__ import annotations

import gc
import threading
import traceback
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from dmd2_demo.errors import DemoError
from dmd2_demo.hub.remembered import Remembered

PATIENCE = 30.0  # seconds


class Answer:
    """Something that can be seen to be kept."""


class Refusal(DemoError):
    """An error that can be seen to be kept."""


def refuse() -> Answer:
    raise Refusal("no")


def test_answers_and_errors_are_asked_for_again_once_they_are_old() -> None:
    now, asked = [0.0], list[str]()
    remembered: Remembered[str, Answer] = Remembered(120, clock=lambda: now[0])

    def ask() -> Answer:
        asked.append("asked")
        return refuse()

    for moment, count in ((0.0, 1), (119.0, 1), (121.0, 2)):
        now[0] = moment
        with pytest.raises(Refusal):
            remembered.get("key", ask)
        assert len(asked) == count


@pytest.mark.parametrize("apart", [False, True])
def test_no_more_than_the_most_is_kept_of_whatever_visitors_name(apart: bool) -> None:
    remembered: Remembered[str, Answer] = Remembered(1e9, most=50)
    kept: weakref.WeakSet[object] = weakref.WeakSet()

    def ask(number: int) -> Answer:
        answer = Answer()
        error = Refusal("no")
        kept.add(error if number % 2 else answer)
        if number % 2:
            raise error
        return answer

    for number in range(500):
        try:
            if apart:
                remembered.within(str(number), lambda number=number: ask(number), PATIENCE)  # type: ignore[misc]
            else:
                remembered.get(str(number), lambda number=number: ask(number))  # type: ignore[misc]
        except Refusal:
            pass
    gc.collect()
    assert 0 < len(kept) <= 51  # the last one may be a thread's that ends just now


def test_a_remembered_error_remembers_nobody_who_was_told() -> None:
    remembered: Remembered[str, Answer] = Remembered(1e9)
    depths = set()
    for _ in range(20):
        with pytest.raises(Refusal) as raised:
            remembered.get("key", refuse)
        depths.add(len(traceback.extract_tb(raised.value.__traceback__)))
    assert max(depths) < 5


def test_an_endpoint_that_never_answers_costs_few_threads() -> None:
    remembered: Remembered[str, Answer] = Remembered(1e9)
    answers = threading.Event()

    def ask() -> Answer:
        answers.wait(PATIENCE)
        return Answer()

    before = threading.active_count()
    for number in range(200):
        with pytest.raises(TimeoutError):
            remembered.within(str(number), ask, 0.001)
    assert threading.active_count() - before <= 32
    answers.set()
    # Afterwards all are answered, those too that had to go without.
    assert isinstance(remembered.within("0", ask, PATIENCE), Answer)
    for thread in threading.enumerate():
        if thread.name.endswith("(_settle_apart)"):
            thread.join(PATIENCE)
    assert isinstance(remembered.within("199", ask, PATIENCE), Answer)


def test_those_who_ask_at_once_are_told_one_answer() -> None:
    remembered: Remembered[str, Answer] = Remembered(1e9)
    together = threading.Barrier(8, timeout=PATIENCE)
    with ThreadPoolExecutor(8) as pool:

        def one() -> Answer:
            together.wait()
            return remembered.get("key", Answer)

        assert len({future.result() for future in [pool.submit(one) for _ in range(8)]}) == 1
