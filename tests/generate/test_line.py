from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from dmd2_demo.errors import Cancelled
from dmd2_demo.generate import line as line_module
from dmd2_demo.generate.line import Line
from dmd2_demo.progress import Progress


class Crowd:
    """Requests that wait behind one who has the turn. `served` is who had theirs, in order."""

    def __init__(self, line: Line) -> None:
        self.line, self.served = line, list[str]()
        self.threads: list[threading.Thread] = []
        self.inside = self.most_inside = 0

    def ask(self, visitor: str, *, yields: bool = False) -> None:
        waiting = self._waiting()
        thread = threading.Thread(target=self._take, args=(visitor, yields))
        thread.start()
        self.threads.append(thread)
        until(lambda: self._waiting() == waiting + 1)

    def _waiting(self) -> int:
        return sum(map(len, (*self.line._waiting.values(), *self.line._yielding.values())))

    def _take(self, visitor: str, yields: bool) -> None:
        with self.line.turn(visitor, yields=yields):
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
            self.served.append(visitor)
            time.sleep(0.001)
            self.inside -= 1

    def finish(self) -> None:
        for thread in self.threads:
            thread.join(timeout=10)


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_who_yields_comes_after_all_who_do_not() -> None:
    line = Line()
    crowd = Crowd(line)
    with line.turn("first"):
        crowd.ask("live 1", yields=True)
        crowd.ask("live 2", yields=True)
        crowd.ask("live 1", yields=True)
        crowd.ask("real")
        crowd.ask("live 1")
    crowd.finish()
    assert crowd.served == ["real", "live 1", "live 1", "live 2", "live 1"]


def test_who_yields_is_told_of_all_who_come_before() -> None:
    line, told = Line(), list[str]()
    crowd = Crowd(line)

    def stop(progress: Progress) -> None:
        told.append(progress.sentence)
        raise Cancelled

    with line.turn("first"):
        crowd.ask("live", yields=True)
        crowd.ask("real")
        with pytest.raises(Cancelled), line.turn("last", stop, yields=True):
            pass
    crowd.finish()
    assert told == ["Waiting: 3 before you"]


def test_visitors_take_turns_however_many_requests_each_has() -> None:
    line = Line()
    crowd = Crowd(line)
    with line.turn("first"):
        for visitor in ("greedy", "greedy", "greedy", "ann", "bob", "bob"):
            crowd.ask(visitor)
    crowd.finish()
    assert crowd.served == ["greedy", "ann", "bob", "greedy", "bob", "greedy"]
    assert crowd.most_inside == 1


def test_who_waits_is_told_how_many_come_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "_PATIENCE", 0.1)
    line = Line()
    crowd = Crowd(line)
    told: list[str] = []

    def leave(progress: Progress) -> None:
        told.append(progress.sentence)
        raise Cancelled

    with line.turn("first"):
        for visitor in ("greedy", "greedy", "greedy", "ann"):
            crowd.ask(visitor)
        with pytest.raises(Cancelled), line.turn("bob", leave):
            raise AssertionError
        # The one at work, and the first requests of greedy and ann.
        assert told == ["Waiting: 3 before you"]
    crowd.finish()
    assert crowd.served == ["greedy", "ann", "greedy", "greedy"]


def test_a_crowd_is_counted_now_and_then_and_can_leave_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "_PATIENCE", 0.1)
    line = Line()
    crowd = Crowd(line)
    told: list[str] = []
    later = threading.Thread(target=crowd._take, args=("ann", False))

    def listen(progress: Progress) -> None:
        told.append(progress.sentence)
        if len(told) == 1:
            later.start()  # it gets in once this word is said
        if len(told) == 6:
            raise Cancelled

    with line.turn("bob"):
        crowd.ask("bob")
        with pytest.raises(Cancelled), line.turn("bob", listen):
            raise AssertionError
    crowd.finish()
    later.join()
    assert told == ["Waiting: 2 before you"] * 4 + ["Waiting: 3 before you"] * 2


def test_a_turn_that_fails_is_over() -> None:
    line = Line()
    with pytest.raises(ValueError, match="broken"), line.turn("ann"):
        raise ValueError("broken")
    with line.turn("bob"):
        pass


def test_as_many_have_their_turn_as_there_are_places() -> None:
    places = 2
    line = Line(lambda: places)
    crowd = Crowd(line)
    with line.turn(), line.turn():
        for visitor in "aabc":
            crowd.ask(visitor)
        places = 4  # two more came
        until(lambda: len(crowd.served) == 4)
    for thread in crowd.threads:
        thread.join()
    assert crowd.most_inside <= 2
    assert crowd.served[0] == "a"
    assert sorted(crowd.served) == ["a", "a", "b", "c"]


def test_who_waits_is_told_however_short_the_turns_of_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "_PATIENCE", 0.05)
    line, told, enough = Line(), list[str](), threading.Event()

    def turns() -> None:
        while not enough.is_set():
            with line.turn("busy"):
                time.sleep(0.01)

    def stop(progress: Progress) -> None:
        told.append(progress.sentence)
        if len(told) == 2:
            enough.set()
            raise Cancelled

    others = [threading.Thread(target=turns) for _ in range(3)]  # one of them always waits before who yields
    for other in others:
        other.start()
    try:
        with pytest.raises(Cancelled), line.turn("last", stop, yields=True):
            pass
    finally:
        enough.set()
    for other in others:
        other.join(10)
    assert len(told) == 2
