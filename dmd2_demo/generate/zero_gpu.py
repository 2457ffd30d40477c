"""ZeroGPU, where a Space has a GPU only while it makes pictures, in a forked process.

What a fork changes is lost with it. So everything is loaded before the first one, and only making pictures is in it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, cast

from dmd2_demo.generate import disk_plan, edges
from dmd2_demo.generate.forked_studio import Fork, ForkedStudio
from dmd2_demo.generate.gpu_seconds import gpu_seconds
from dmd2_demo.generate.identity import Weights, of_part
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.runtime import Runtime, build_runtime
from dmd2_demo.hub.disk import Free, default_cache, free_disk
from dmd2_demo.hub.hub import Hub
from dmd2_demo.models.family import Family
from dmd2_demo.models.parts import PipelineSpec
from dmd2_demo.progress import Progress
from dmd2_demo.settings import Settings

if TYPE_CHECKING:
    from dmd2_demo.device.placement import Placement

_BASES = 2  # each more is 7 GB that every new fork takes to the GPU


@dataclass(frozen=True)
class ZeroGpu:
    """What the platform's package gives: the decorator, and the seconds that asking for some counts as."""

    fork: Fork
    counted: Callable[[int], float] = float

    def quota(self, request: Request) -> int:
        """The seconds of a visitor's day that must be left for the request to begin."""
        return round(self.counted(gpu_seconds(request)))


def active(environment: Mapping[str, str] = os.environ) -> ZeroGpu | None:
    """ZeroGPU where it is active, else None. To be called before torch is imported."""
    if environment.get("SPACES_ZERO_GPU", "").lower() not in {"1", "t", "true"}:
        return None
    try:
        import spaces  # noqa: PLC0415 - only Spaces have it
    except ImportError:
        return None
    return ZeroGpu(cast("Fork", spaces.GPU), _counted)


def _counted(seconds: int) -> float:
    """A large GPU counts more than a second for each."""
    try:
        from spaces.zero.client import get_duration_seconds  # noqa: PLC0415
    except ImportError:  # the platform chooses the version, and this is no promised part of it
        return float(seconds)
    return float(get_duration_seconds(timedelta(seconds=seconds), None))


def build_forked_runtime(
    family: Family,
    settings: Settings,
    fork: Fork,
    hub: Hub,
    choose: Callable[[], Placement] | None = None,
    free: Free = free_disk,
) -> Runtime:
    """A runtime of the family with the bases that the disk has room for, every part loaded.

    The log says what is loaded. DemoError where something can't be.
    """
    plan = disk_plan.plan(family, _BASES, hub, free(default_cache()))
    print(plan.line, flush=True)
    family = plan.family
    runtime = build_runtime(family, settings, hub, choose or _choose)
    # Looked at once and here: a fork would hash in a visitor's seconds, and what is packed leaves the disk.
    remembered = cache(partial(of_part, hub))

    def identify(spec: PipelineSpec) -> Weights:
        return [entry for part in spec.parts() for entry in remembered(part)]

    for request in disk_plan.every_request(family):
        with runtime.manager.lease(request.spec(), _tell_the_operator):
            pass
        identify(request.spec())
    if plan.drop_pickles:
        # Before the tensors are packed, which is when the disk is fullest. Nothing is loaded any more.
        for distilled in family.distilled:
            if not distilled.weights.name.endswith(".safetensors"):
                hub.forget(distilled.weights)
    edges.detector()
    return replace(runtime, studio=ForkedStudio(family, runtime.manager.lease, fork, identify))


def _tell_the_operator(progress: Progress) -> None:
    """In the Space's log, without the many lines of a download."""
    if progress.fraction is None:
        print(progress.sentence, flush=True)


def _choose() -> Placement:
    from dmd2_demo.device import zero_gpu  # noqa: PLC0415 - imports torch, which `spaces` must come before

    return zero_gpu.choose()
