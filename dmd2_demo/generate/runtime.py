"""What makes pictures, put together: backend, manager and studio."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from dmd2_demo.generate.backend import Backend
from dmd2_demo.generate.cpu_cost import CpuCost
from dmd2_demo.generate.identity import identified
from dmd2_demo.generate.manager import PipelineManager
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
        now = self.manager.status()
        return {
            **self.backend.described(),
            "resident": [{"part": part.title, "from": part.origin, "bytes": size} for part, size in now.resident],
            "loads": now.loads,
            "leases": now.leases,
        }

    def unload(self) -> None:
        """Drops every part, once the lease of the moment is over."""
        self.manager.unload()

    def warm_up(self) -> None:
        """Starts importing what the first picture needs, in the background."""
        self.backend.warm_up()


def build_runtime(
    family: Family, settings: Settings, choose: Callable[[], Placement] | None = None, *, has_gpu: bool = True
) -> Runtime:
    """A runtime for that family. Nothing is imported or loaded before it is used.

    `choose` tells where and how to compute; without it, the settings and the machine do, whose GPU is only used where
    it is known to work.
    """
    backend = Backend(choose or partial(_choose, family, settings, has_gpu))
    manager = PipelineManager(
        fetch=backend.fetch,
        load=backend.load,
        assemble=backend.assemble,
        release=backend.release,
        room=backend.room,
        require_room=backend.require_room,
        budget=settings.budget,
    )

    def fall_back(tier: str) -> str | None:
        return manager.start_over(partial(backend.fall_back, tier))

    cost = CpuCost(family.on_cpu, backend.precision) if family.on_cpu and not has_gpu else None
    told = {"made": cost.made} if cost else {}
    studio = Studio(family, manager.lease, fall_back, partial(identified, Hub()), **told)
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
