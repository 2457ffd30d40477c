"""The line of those who wait for a device: visitors take turns on it, however many requests each has."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Lock

from dmd2_demo.progress import Progress, Report, silent

_PATIENCE = 0.5  # seconds between two words to somebody who waits
_COUNTED = 4  # words until others are counted anew: a crowd that is told of each turn costs more than its pictures


class Line:
    """Grants turns. Who was served longest ago comes first; among the requests of one visitor, the oldest.

    Those that yield come after all that don't. `places` tells how many may have theirs at a time, at least 1.
    """

    def __init__(self, places: Callable[[], int] = lambda: 1) -> None:
        self._places = places
        self._lock = Lock()
        self._waiting: dict[str, deque[Condition]] = {}  # by visitor, in the order of their turns
        self._yielding: dict[str, deque[Condition]] = {}  # the same
        self._busy = 0

    @contextmanager
    def turn(self, visitor: str = "", report: Report = silent, *, yields: bool = False) -> Iterator[None]:
        """Waits for a turn, telling `report` how many come before; what it raises ends the wait."""
        ticket = Condition(self._lock)  # one each: a turn that ends wakes nobody but the next
        line = self._yielding if yields else self._waiting
        words = 0
        with self._lock:
            line.setdefault(visitor, deque()).append(ticket)
            try:
                while self._busy >= self._places() or self._next() is not ticket:
                    if ticket.wait(_PATIENCE):
                        continue
                    if words % _COUNTED == 0:
                        word = Progress(f"Waiting: {self._before(line, visitor, ticket)} before you")
                    words += 1
                    report(word)
            except BaseException:
                self._leave(line, visitor, ticket)
                self._wake()
                raise
            self._leave(line, visitor, ticket)
            self._busy += 1
            self._wake()  # there may be a place for the next one, too
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1
                self._wake()

    def _wake(self) -> None:
        """Lets the next one go on, where one waits and there is a place."""
        if self._busy < self._places() and (self._waiting or self._yielding):
            self._next().notify()

    def _next(self) -> Condition:
        return next(iter((self._waiting or self._yielding).values()))[0]

    @staticmethod
    def _leave(line: dict[str, deque[Condition]], visitor: str, ticket: Condition) -> None:
        """Takes the ticket out. A visitor with more of them goes to the end of the line."""
        tickets = line.pop(visitor)
        tickets.remove(ticket)
        if tickets:
            line[visitor] = tickets

    def _before(self, line: dict[str, deque[Condition]], visitor: str, ticket: Condition) -> int:
        """Turns of others, and of the visitor's own older requests, that come before that one; the running ones too."""
        rounds = line[visitor].index(ticket)
        visitors = list(line)
        place = visitors.index(visitor)
        others = (
            min(len(line[other]), rounds + (number < place))
            for number, other in enumerate(visitors)
            if other != visitor
        )
        first = sum(map(len, self._waiting.values())) if line is self._yielding else 0
        return self._busy + first + rounds + sum(others)
