"""The heavy half: torch, diffusers and what stands on them, imported behind the open page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from dmd2_demo.errors import Tier
from dmd2_demo.generate import edges
from dmd2_demo.models.parts import Part, PipelineSpec
from dmd2_demo.progress import Progress, Report

if TYPE_CHECKING:
    from dmd2_demo.device.placement import Placement
    from dmd2_demo.generate.pipelines import Pipeline
    from dmd2_demo.hub.hub import Hub
    from dmd2_demo.weights.loader import PartLoader


@dataclass
class _Prepared:
    placement: Placement
    loader: PartLoader


class Backend:
    """What the manager is handed: each function imports what it needs when it is first called.

    `choose` tells where and how to compute, `hub` brings the files.
    """

    def __init__(self, choose: Callable[[], Placement], hub: Hub) -> None:
        self._choose, self._hub = choose, hub
        self._lock = Lock()
        self._prepared: _Prepared | None = None

    def warm_up(self) -> None:
        """Starts importing, in the background."""

        def imports() -> None:
            self._prepare()
            edges.detector()

        Thread(target=imports, name="imports", daemon=True).start()

    def fetch(self, part: Part, report: Report) -> int:
        """Makes the files of `part` local and tells the bytes it will take once loaded."""
        if self._prepared is None:
            report(Progress("Starting up"))
        return self._prepare().loader.fetch(part, report)

    def load(self, part: Part) -> Any:
        """The modules of `part`, ready to compute. Raises DeviceFull where the device's memory is."""
        from dmd2_demo.device.memory import raising_device_full  # noqa: PLC0415

        prepared = self._prepare()
        with raising_device_full(prepared.placement.memory.tier):
            loaded = prepared.loader.load(part)
            prepared.placement.place(loaded.networks, part.working)
        return loaded.module

    def assemble(self, spec: PipelineSpec, modules: Mapping[Part, Any]) -> Pipeline:
        """The pipeline of `spec`."""
        from dmd2_demo.generate import pipelines  # noqa: PLC0415

        return pipelines.assemble(spec, modules, self._prepare().placement.memory.tier)

    def release(self) -> None:
        """Returns memory that dropped parts took."""
        from dmd2_demo.device import placement  # noqa: PLC0415

        placement.release()

    def room(self, working: int) -> int:
        """The bytes that more parts may take now, beside work that takes `working` bytes in half precision."""
        return self._prepare().placement.room(working)

    def require_room(self, size: int, working: int) -> None:
        """Raises OutOfMemory where nothing else would tell that parts of `size` bytes and that work don't fit."""
        self._prepare().placement.require_room(size, working)

    def fall_back(self, tier: Tier, drop_parts: Callable[[], None]) -> str | None:
        """Places from now on as the tier below `tier` does; what to tell the visitor, None where there is none.

        Parts that were placed otherwise are dropped; where somebody fell before, there are none.
        """
        prepared = self._prepare()
        memory = prepared.placement.memory
        before, notice = memory.tier, memory.fall_back(tier)
        if memory.tier != before:
            drop_parts()
            prepared.loader = _loader(self._hub, prepared.placement)
        return notice

    def precision(self) -> str:
        """The name of the type that it computes in. Waits until that is known."""
        return self._prepare().placement.described()["precision"]

    def described(self) -> dict[str, str]:
        """How it computes, for the operator; nothing before it is prepared."""
        return self._prepared.placement.described() if self._prepared else {}

    def _prepare(self) -> _Prepared:
        with self._lock:
            if self._prepared is None:
                # The pipelines are imported here too: the first picture needs them as well.
                from dmd2_demo.generate import pipelines  # noqa: F401, PLC0415

                placement = self._choose()
                self._prepared = _Prepared(placement, _loader(self._hub, placement))
            return self._prepared


def _loader(hub: Hub, placement: Placement) -> PartLoader:
    from dmd2_demo.weights.loader import PartLoader  # noqa: PLC0415

    return PartLoader(hub, placement.memory.home, placement.dtype, merge_device=placement.device)
