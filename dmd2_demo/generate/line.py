"""The line of those who wait for the device: one at a time, and visitors take turns however many requests each has."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from dmd2_demo.progress import Progress, Report, silent

_PATIENCE = 0.5  # seconds between two words to somebody who waits


class Line:
    """Grants turns. Who was served longest ago comes first; among the requests of one visitor, the oldest."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._waiting: dict[str, deque[object]] = {}  # by visitor, in the order of their turns
        self._busy = False

    @contextmanager
    def turn(self, visitor: str = "", report: Report = silent) -> Iterator[None]:
        """Waits for a turn, telling `report` how many come before; what it raises ends the wait."""
        ticket = object()
        with self._changed:
            self._waiting.setdefault(visitor, deque()).append(ticket)
            try:
                while self._busy or self._next() is not ticket:
                    if not self._changed.wait(_PATIENCE):
                        report(Progress(f"Waiting: {self._before(visitor, ticket)} before you"))
            except BaseException:
                self._leave(visitor, ticket)
                self._changed.notify_all()
                raise
            self._leave(visitor, ticket)
            self._busy = True
        try:
            yield
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _next(self) -> object:
        return next(iter(self._waiting.values()))[0]

    def _leave(self, visitor: str, ticket: object) -> None:
        """Takes the ticket out. A visitor with more of them goes to the end of the line."""
        tickets = self._waiting.pop(visitor)
        tickets.remove(ticket)
        if tickets:
            self._waiting[visitor] = tickets

    def _before(self, visitor: str, ticket: object) -> int:
        """Turns of others, and of the visitor's own older requests, that come before that one; the running one too."""
        rounds = self._waiting[visitor].index(ticket)
        visitors = list(self._waiting)
        place = visitors.index(visitor)
        others = (
            min(len(self._waiting[other]), rounds + (number < place))
            for number, other in enumerate(visitors)
            if other != visitor
        )
        return self._busy + rounds + sum(others)
