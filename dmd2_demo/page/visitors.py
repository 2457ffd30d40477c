"""Who asks: a session at an address, and how much of the page each may take at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from dmd2_demo.errors import DemoError


class Visitor(NamedTuple):
    """`session` is "" for programs that have none: all of one address count as one visitor."""

    address: str
    session: str

    @classmethod
    def of(cls, client: Any, session: str | None, event: str | None) -> Self:
        """Who sent a request from `client`, which is Starlette's."""
        # Gradio gives an event without a session its own name for one.
        return cls(client.host if client else "", session if session and session != event else "")

    @property
    def name(self) -> str:
        """What stays the same while a phone goes from one network to another."""
        return self.session or self.address


@dataclass(frozen=True)
class Limits:
    """The most requests that may wait or run at once: of one visitor, and of all visitors at one address."""

    per_visitor: int
    per_address: int

    def require_place(self, visitor: Visitor, present: Iterable[Visitor]) -> None:
        """Raises DemoError where one more request of `visitor`, beside those of `present`, is too many."""
        present = list(present)
        if present.count(visitor) >= self.per_visitor:
            raise DemoError(
                f"You have {self.per_visitor} requests waiting or running already, and that is the most. "
                "Wait for one of them, or press Stop."
            )
        if sum(other.address == visitor.address for other in present) >= self.per_address:
            raise DemoError(
                f"{self.per_address} requests from your network address are waiting or running already, and that is "
                "the most. Please try again in a moment."
            )


class Present:
    """Those whose requests run without a queue, which nothing else counts. Used by one thread alone."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._running: Counter[Visitor] = Counter()

    @contextmanager
    def counted(self, visitor: Visitor) -> Iterator[None]:
        """Counts a request while the block runs. DemoError where it is too many."""
        self._limits.require_place(visitor, self._running.elements())
        self._running[visitor] += 1
        try:
            yield
        finally:
            self._running[visitor] -= 1
            if not self._running[visitor]:
                del self._running[visitor]
