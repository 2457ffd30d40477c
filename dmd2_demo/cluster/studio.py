"""A studio whose pictures are made by replicas on a cluster."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from io import BytesIO
from threading import Lock
from typing import Any, NoReturn

from PIL import Image

from dmd2_demo.cluster.link import Call, Link
from dmd2_demo.cluster.routing import ONGOING
from dmd2_demo.cluster.words import Ask, Gone, Lost, Made
from dmd2_demo.errors import Cancelled, DemoError, Failure
from dmd2_demo.generate.edges import EdgeMap
from dmd2_demo.generate.line import Line
from dmd2_demo.generate.manager import Status
from dmd2_demo.generate.metadata import formats
from dmd2_demo.generate.metadata.formats import FileFormat
from dmd2_demo.generate.picture import Picture
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.runtime import told
from dmd2_demo.generate.studio import Studio, stopping
from dmd2_demo.models.family import Family
from dmd2_demo.progress import Progress, Report

_log = logging.getLogger(__name__)

_LOOK = 0.05  # seconds from one look at Stop to the next
_STARTING = 1.0  # seconds without a word until the visitor is told what is waited for
_TRIES = 2  # of a picture that was begun
_MOST_ASKED = 60  # of one that was not: where a node is lost, Serve sees only after a while which replicas were on it
_AGAIN = 1.0  # seconds until it is asked for again

GONE = "The machines that make pictures can't be reached at the moment. Nothing of yours is lost; please try again."
LOST = "The machine that made this picture was lost, and so was another that tried it again. Please try again."


@dataclass(frozen=True)
class Arrived(Picture):
    """A picture that came as a file. Its pixels are read from there on first use, as fine as that format keeps them."""

    file: bytes = field(default=b"", repr=False)
    as_asked: tuple[FileFormat, bool, dict[str, Any]] | None = None

    def encoded(self, file_format: FileFormat, *, settings_inside: bool) -> bytes:
        """The very file where it is wanted as it was asked for."""
        if (file_format, settings_inside, self.parameters) == self.as_asked:
            return self.file
        return super().encoded(file_format, settings_inside=settings_inside)


class ClusterStudio(Studio):
    """A studio that makes its pictures through a link, which it begins anew where that ended."""

    def __init__(self, family: Family, link: Link) -> None:
        super().__init__(family, _nothing_is_leased_here)
        self._link = link
        self._lock = Lock()
        self._line = Line(self._places)
        self._told: dict[str, Status] = {}  # by each replica that ever made a picture, who told last at the end
        self._present: set[str] = set()  # those of them that are not known to be lost

    def one(
        self,
        request: Request,
        picture: int,
        found: EdgeMap | None,
        report: Report,
        cancelled: Callable[[], bool],
        visitor: str = "",
        *,
        yields: bool = False,
    ) -> Picture:
        """As Studio's. Where the replica is lost meanwhile, another makes it, once."""
        since = time.monotonic()
        with self._line.turn(visitor, stopping(report, cancelled), yields=yields):
            return self._one(Ask(request, picture, found, visitor, yields), since, report, cancelled)

    def _one(self, ask: Ask, since: float, report: Report, cancelled: Callable[[], bool]) -> Picture:
        begun = 0
        for _ in range(_MOST_ASKED):
            if cancelled():
                raise Cancelled
            with closing(self._joined(since).ask(ask)) as call:
                made = _made(call, report, cancelled)
            if isinstance(made, Made):
                self._told.pop(made.status.name, None)
                self._told[made.status.name] = made.status.now
                self._present.add(made.status.name)
                file_format = formats.named(ask.request.file_format)
                return Arrived(
                    Image.open(BytesIO(made.file)),
                    made.parameters,
                    made.seconds,
                    made.notices,
                    ask.found.image if ask.found else None,
                    made.file,
                    (file_format, ask.request.settings_inside, made.parameters),
                )
            _log.warning("A replica was lost while it made a picture.")
            self._present.clear()  # which one is not known; those that are left tell again
            begun += made.begun
            if begun == _TRIES:
                break
            if not made.begun:
                time.sleep(_AGAIN)
        raise DemoError(LOST)

    def status(self) -> dict[str, Any]:
        """What the replicas told with their last pictures; of those that made none since the start, nothing.

        Of those that were replaced or given up, what they did and nothing that they had loaded: as many are told of as
        there are, who told last.
        """
        replicas = self._link.replicas
        present = [name for name in reversed(self._told) if name in self._present][:replicas]
        every = [now if name in present else replace(now, resident=()) for name, now in self._told.items()]
        return {"replicas": replicas, **told(every)}

    def close(self) -> None:
        """Leaves the cluster."""
        self._link.close()

    def _places(self) -> int:
        """As many as the replicas hold, and as many again that may wait for the one with their parts."""
        return max(1, 2 * ONGOING * self._link.replicas)

    def _joined(self, since: float) -> Link:
        """A link that something can be asked of. DemoError for who waits `since` before it ended.

        To join again takes long where there is no head: one tries it, and the others are told what came of it.
        """
        with self._lock:
            if self._link.ended is not None:
                if since < self._link.ended:
                    raise DemoError(GONE)
                self._link = self._link.again()
                self._present.clear()
            return self._link


def _made(call: Call, report: Report, cancelled: Callable[[], bool]) -> Made | Lost:
    """What comes of it. Reports on the way."""
    silent = 0.0
    while True:
        word = call.next(_LOOK)
        if cancelled():
            raise Cancelled
        match word:
            case None:
                silent += _LOOK
                if _STARTING <= silent < _STARTING + _LOOK:
                    report(Progress("Waiting for the cluster"))
            case Progress():
                silent = -float("inf")
                report(word)
            case Failure(sentence):
                raise DemoError(sentence) if sentence else RuntimeError("in the replica: see its log")
            case Gone(why):
                _log.error("The cluster is gone: %s", why)
                raise DemoError(GONE)
            case Lost() | Made():
                return word


def _nothing_is_leased_here(*_: object, **__: object) -> NoReturn:
    raise AssertionError
