"""A studio whose pictures are made in a forked process that has a GPU for as long as it was asked for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Protocol, cast

from dmd2_demo.errors import Cancelled, DemoError, Failure
from dmd2_demo.generate.edges import EdgeMap
from dmd2_demo.generate.gpu_seconds import gpu_seconds
from dmd2_demo.generate.identity import Identify, unidentified
from dmd2_demo.generate.picture import Picture
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.stream import streamed
from dmd2_demo.generate.studio import Lease, Studio
from dmd2_demo.models.family import Family
from dmd2_demo.progress import Progress, Report

_log = logging.getLogger(__name__)


Told = Picture | Progress | Failure
Task = Callable[[Request, EdgeMap | None], Iterator[Told]]


class Fork(Protocol):
    """`spaces.GPU`: makes a generator's body run in a forked process.

    Arguments and what it yields are pickled. `duration` tells the seconds to ask for. A generator that is closed is
    looked for in the fork after each item.
    """

    def __call__(self, task: Task, *, duration: Callable[[Request, EdgeMap | None], int]) -> Task: ...


class ForkedStudio(Studio):
    """A studio that makes its pictures in the processes that `fork` makes."""

    def __init__(self, family: Family, lease: Lease, fork: Fork, identify: Identify = unidentified) -> None:
        super().__init__(family, lease, identify=identify)
        self._forked = fork(self._in_fork, duration=lambda request, _: gpu_seconds(request))

    def make(
        self,
        request: Request,
        edges: EdgeMap | None,
        report: Report,
        cancelled: Callable[[], bool],
        visitor: str = "",  # noqa: ARG002 - nobody waits for others here: each has a GPU of their own
        *,
        yields: bool = False,  # noqa: ARG002 - the same
    ) -> Iterator[Picture]:
        """As Studio's. Also raises what `fork` does where no GPU is to be had."""
        if cancelled():
            raise Cancelled
        report(Progress("Waiting for a GPU"))
        with closing(cast("Any", self._forked(request, edges))) as told:
            for word in told:
                if isinstance(word, Failure):
                    raise DemoError(word.sentence) if word.sentence else RuntimeError("in the fork: see the log above")
                if cancelled():
                    raise Cancelled
                if isinstance(word, Progress):
                    report(word)
                else:
                    yield word

    def _in_fork(self, request: Request, edges: EdgeMap | None) -> Iterator[Told]:
        """The pictures, and a word at each step, at which the work can be stopped."""

        def work(tell: Callable[[Told], None]) -> None:
            for picture in super(ForkedStudio, self).make(request, edges, tell, lambda: False):
                tell(picture)

        try:
            yield Progress("The GPU is here")
            yield from streamed(work)
        except DemoError as error:
            yield Failure(str(error))
        except Exception:  # noqa: BLE001 - the last place where its trace can be seen
            _log.exception("A request failed in an unforeseen way.")
            yield Failure(None)
