"""What makes pictures, put together: backend, manager and studio."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from dmd2_demo.errors import Tier
from dmd2_demo.generate.backend import Backend
from dmd2_demo.generate.cpu_cost import CpuCost
from dmd2_demo.generate.identity import identified
from dmd2_demo.generate.manager import PipelineManager, Status
from dmd2_demo.generate.studio import Studio
from dmd2_demo.hub.hub import Hub
from dmd2_demo.models.family import Family
from dmd2_demo.settings import Settings

if TYPE_CHECKING:
    from dmd2_demo.device.placement import Placement


@dataclass(frozen=True)
class Runtime:
    """One backend, the one manager of its parts, and the studio that leases from it.

    `cost` tells what pictures take where a CPU computes a family that is large for it.
    """

    backend: Backend
    manager: PipelineManager[Any]
    studio: Studio
    cost: CpuCost | None = None

    def status(self) -> dict[str, Any]:
        """How it computes and what is loaded, in JSON's types."""
        return {**self.backend.described(), **told([self.manager.status()])}

    def unload(self) -> None:
        """Drops every part, once the lease of the moment is over."""
        self.manager.unload()

    def warm_up(self) -> None:
        """Starts importing what the first picture needs, in the background."""
        self.backend.warm_up()


def told(statuses: Iterable[Status]) -> dict[str, Any]:
    """What those managers have loaded and did since their start, all together, in JSON's types."""
    all_of_them = list(statuses)
    loading: dict[str, tuple[int, float]] = {}
    for title, count, seconds in (each for now in all_of_them for each in now.loading):
        before = loading.get(title, (0, 0.0))
        loading[title] = before[0] + count, before[1] + seconds
    return {
        "resident": [
            {"part": part.title, "from": part.origin, "bytes": size}
            for now in all_of_them
            for part, size in now.resident
        ],
        "loads": sum(now.loads for now in all_of_them),
        "leases": sum(now.leases for now in all_of_them),
        "loading": [
            {"part": title, "count": count, "seconds": round(seconds, 3)} for title, (count, seconds) in loading.items()
        ],
        "busy_seconds": round(sum(now.busy for now in all_of_them), 3),
    }


def build_runtime(
    family: Family,
    settings: Settings,
    hub: Hub | None = None,
    choose: Callable[[], Placement] | None = None,
    *,
    has_gpu: bool = True,
) -> Runtime:
    """A runtime for that family. Nothing is imported or loaded before it is used.

    Without a `hub` it has one of its own. `choose` tells where and how to compute; without it, the settings and the
    machine do, whose GPU is only used where it is known to work.
    """
    hub = hub or Hub()
    backend = Backend(choose or partial(_choose, family, settings, has_gpu), hub)
    manager = PipelineManager(
        fetch=backend.fetch,
        load=backend.load,
        assemble=backend.assemble,
        release=backend.release,
        room=backend.room,
        require_room=backend.require_room,
        budget=settings.budget,
    )

    def fall_back(tier: Tier) -> str | None:
        return manager.start_over(partial(backend.fall_back, tier))

    cost = CpuCost(family.on_cpu, backend.precision) if family.on_cpu and not has_gpu else None
    made = cost.made if cost else lambda _request, _seconds: None
    studio = Studio(family, manager.lease, fall_back, partial(identified, hub), made)
    return Runtime(backend, manager, studio, cost)


def _choose(family: Family, settings: Settings, has_gpu: bool) -> Placement:
    from dmd2_demo.device import placement  # noqa: PLC0415 - the page opens before torch is there

    return placement.choose(
        settings.memory,
        settings.attention,
        settings.precision,
        has_gpu=has_gpu,
        fastest_on_cpu=family.on_cpu is not None,
    )
