"""The resident parts and who may use them: one dictionary, one line, one memory budget. No torch in here."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar

from dmd2_demo.errors import OutOfMemory
from dmd2_demo.generate.line import Line
from dmd2_demo.models.parts import Part, PipelineSpec
from dmd2_demo.progress import Progress, Report, in_bytes

Pipeline = TypeVar("Pipeline")


@dataclass(frozen=True)
class Resident:
    """A loaded part and the bytes it takes."""

    module: Any
    size: int


@dataclass(frozen=True)
class Status:
    """What is loaded (with bytes, least recently leased first) and what happened since the start.

    `loading` has how often parts of each title were loaded, and the seconds that took; `busy` are those of all leases.
    """

    resident: tuple[tuple[Part, int], ...] = ()
    leases: int = 0
    loading: tuple[tuple[str, int, float], ...] = ()
    busy: float = 0.0

    @property
    def loads(self) -> int:
        """How many parts were loaded."""
        return sum(count for _, count, _ in self.loading)


class PipelineManager(Generic[Pipeline]):
    """Hands out pipelines as leases, loading what a spec wants and keeping it for the next.

    Everything that touches files or a device is handed in: `fetch` makes a part's files local and tells the
    bytes it will take, `load` gives its module, `assemble` makes a pipeline from modules, `release` returns
    dropped memory to the system, `room` tells the bytes that more parts may take now beside work of so many bytes,
    and `require_room` raises OutOfMemory where both must not be tried. `budget` is in bytes, for all parts; None for
    no limit but the room.
    """

    def __init__(
        self,
        *,
        fetch: Callable[[Part, Report], int],
        load: Callable[[Part], Any],
        assemble: Callable[[PipelineSpec, Mapping[Part, Any]], Pipeline],
        release: Callable[[], None],
        room: Callable[[int], float] = lambda _: math.inf,
        require_room: Callable[[int, int], None] = lambda _size, _working: None,
        budget: int | None = None,
    ) -> None:
        self._fetch, self._load, self._assemble, self._release = fetch, load, assemble, release
        self._room, self._require_room, self._budget = room, require_room, budget
        self._line = Line()
        self._resident: OrderedDict[Part, Resident] = OrderedDict()
        self._assembled: dict[PipelineSpec, Pipeline] = {}  # none over a part that was dropped
        # Held for single changes and reads of that dictionary: `status` waits for no lease.
        self._changing = Lock()
        self._leases, self._busy = 0, 0.0
        self._loading: dict[str, tuple[int, float]] = {}

    @contextmanager
    def lease(
        self,
        spec: PipelineSpec,
        report: Report,
        visitor: str = "",
        pixels: int = 1024 * 1024,
        *,
        yields: bool = False,
    ) -> Iterator[Pipeline]:
        """The pipeline of `spec`, for this caller alone until the block ends, to make a picture of so many pixels.

        Visitors who wait take turns; a lease that `yields` comes after all that don't. A load that fails raises and
        leaves resident exactly what did load. Raises OutOfMemory, before anything is loaded, where the budget or the
        room can't hold what is needed.
        """
        # Outside of the line: a download of minutes keeps nobody from the parts that are there.
        for part in spec.parts():
            if part not in self._resident:
                self._fetch(part, report)
        with self._line.turn(visitor, report, yields=yields):
            self._make_resident(spec, spec.working(pixels), report)
            self._leases += 1
            if spec not in self._assembled:
                modules = {part: self._resident[part].module for part in spec.parts()}
                self._assembled[spec] = self._assemble(spec, modules)
            started = time.perf_counter()
            try:
                yield self._assembled[spec]
            finally:
                self._busy += time.perf_counter() - started

    def unload(self) -> None:
        """Drops every part, once the lease of the moment is over."""
        with self._line.turn():
            self._drop_all()

    def start_over(self, change: Callable[[Callable[[], None]], str | None]) -> str | None:
        """What `change` gives, which is made while nobody leases; it is handed what drops every part."""
        with self._line.turn():
            return change(self._drop_all)

    def status(self) -> Status:
        """What is loaded now; never waits for a running lease."""
        with self._changing:
            resident = tuple((part, held.size) for part, held in self._resident.items())
            loading = tuple((title, *told) for title, told in self._loading.items())
        return Status(resident, self._leases, loading, self._busy)

    def _make_resident(self, spec: PipelineSpec, working: int, report: Report) -> None:
        missing = [part for part in spec.parts() if part not in self._resident]
        for part in spec.parts():
            if part in self._resident:
                with self._changing:
                    self._resident.move_to_end(part)
        sizes = {part: self._fetch(part, report) for part in missing}
        self._make_room(sum(sizes.values()), working, spec.parts())
        for part, size in sizes.items():
            report(Progress(f"Loading the {part.title}"))
            started = time.perf_counter()
            loaded = Resident(self._load(part), size)
            with self._changing:
                self._resident[part] = loaded
                count, seconds = self._loading.get(part.title, (0, 0.0))
                self._loading[part.title] = count + 1, seconds + time.perf_counter() - started
            del loaded  # Who drops the part frees its memory.

    def _drop_all(self) -> None:
        if self._resident:
            self._assembled.clear()
            with self._changing:
                self._resident.clear()
            self._release()

    def _make_room(self, size: int, working: int, wanted: tuple[Part, ...]) -> None:
        budget = math.inf if self._budget is None else self._budget
        held = sum(resident.size for resident in self._resident.values())
        for part in [part for part in self._resident if part not in wanted]:
            if held + size <= budget and size <= self._room(working):
                break
            with self._changing:
                held -= self._resident.pop(part).size
            self._assembled = {spec: made for spec, made in self._assembled.items() if part not in spec.parts()}
            self._release()
        if held + size > budget:
            needed, most = in_bytes(held + size), in_bytes(budget)
            raise OutOfMemory(f"This needs {needed} of models; the operator's budget is {most}.")
        self._require_room(size, working)
