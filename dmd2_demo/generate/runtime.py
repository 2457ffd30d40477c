"""What makes pictures, put together: engine, manager and studio."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from dmd2_demo.generate.backend import Engine
from dmd2_demo.generate.manager import PipelineManager
from dmd2_demo.generate.studio import Studio
from dmd2_demo.models.family import Family
from dmd2_demo.settings import Settings

if TYPE_CHECKING:
    from dmd2_demo.device.placement import Placement


@dataclass(frozen=True)
class Workshop:
    """One engine, the one manager of its parts, and the studio that leases from it."""

    engine: Engine
    manager: PipelineManager[Any]
    studio: Studio


def furnish(family: Family, settings: Settings, choose: Callable[[], Placement] | None = None) -> Workshop:
    """A workshop for that family. Nothing is imported or loaded before it is used.

    `choose` tells where and how to compute; without it, the settings and the machine do.
    """
    engine = Engine(choose or partial(_choose, settings))
    manager = PipelineManager(
        fetch=engine.fetch,
        load=engine.load,
        assemble=engine.assemble,
        release=engine.release,
        room=engine.room,
        budget=settings.budget,
    )

    def fall(tier: str) -> str | None:
        return manager.start_over(partial(engine.fall, tier))

    return Workshop(engine, manager, Studio(family, manager.lease, fall))


def _choose(settings: Settings) -> Placement:
    from dmd2_demo.device import placement  # noqa: PLC0415 - the page opens before torch is there

    return placement.choose(settings.memory, settings.attention)
