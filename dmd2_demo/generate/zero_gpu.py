"""ZeroGPU, where a Space has a GPU only while it makes pictures, in a forked process.

What a fork changes is lost with it. So everything is loaded before the first one, and only making pictures is in it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from dmd2_demo.errors import Cancelled, DemoError
from dmd2_demo.generate import edges
from dmd2_demo.generate.picture import Picture
from dmd2_demo.generate.requests import REQUESTS, Request
from dmd2_demo.generate.runtime import Runtime, build_runtime
from dmd2_demo.generate.studio import Lease, Studio
from dmd2_demo.models.family import Family
from dmd2_demo.progress import Progress, Report, silent
from dmd2_demo.settings import Settings

if TYPE_CHECKING:
    from dmd2_demo.device.placement import Placement

Run = Callable[[Request], Iterator[Picture | str]]
ForkDecorator = Callable[[Run], Run]
"""`spaces.GPU`: makes a generator's body run in a forked process; arguments and what it yields are pickled."""

_BASES = 2  # each more is 7 GB that every new fork takes to the GPU


def fork_decorator(environment: Mapping[str, str] = os.environ) -> ForkDecorator | None:
    """The decorator where ZeroGPU is active, else None. To be called before torch is imported."""
    if environment.get("SPACES_ZERO_GPU", "").lower() not in {"1", "t", "true"}:
        return None
    try:
        import spaces  # noqa: PLC0415 - only Spaces have it
    except ImportError:
        return None
    return cast("ForkDecorator", spaces.GPU)


def build_forked_runtime(
    family: Family, settings: Settings, fork: ForkDecorator, choose: Callable[[], Placement] | None = None
) -> tuple[Runtime, Family]:
    """A runtime with every part of the family loaded, and the family with no more bases than that."""
    bases = family.bases[:_BASES]
    names = {base.name for base in bases}
    examples = tuple(example for example in family.lora_examples if example.base in names)
    family = replace(family, bases=bases, lora_examples=examples or family.lora_examples[:1])
    runtime = build_runtime(family, settings, choose or _choose)
    for request in (variant for kind in REQUESTS for variant in kind.variants(family)):
        with runtime.manager.lease(request.spec(), _tell_the_operator):
            pass
    edges.detector()
    return replace(runtime, studio=ForkedStudio(family, runtime.manager.lease, fork)), family


class ForkedStudio(Studio):
    """A studio that makes its pictures in the processes that `fork` makes."""

    def __init__(self, family: Family, lease: Lease, fork: ForkDecorator) -> None:
        super().__init__(family, lease)
        self._forked = fork(self._in_fork)

    def generate(
        self,
        request: Request,
        report: Report,
        cancelled: Callable[[], bool],
        visitor: str = "",  # noqa: ARG002 - each has a GPU of their own
    ) -> Iterator[Picture]:
        """As Studio's, but that it tells no steps and that Cancelled waits for the picture at work."""
        if cancelled():
            raise Cancelled
        report(Progress("Waiting for a GPU"))
        with closing(cast("Any", self._forked(request))) as pictures:
            for made in pictures:
                if isinstance(made, str):
                    raise DemoError(made)
                if cancelled():
                    raise Cancelled
                yield made

    def _in_fork(self, request: Request) -> Iterator[Picture | str]:
        """The pictures, or a sentence in place of a DemoError: of an exception only its class's name comes back."""
        try:
            yield from super().generate(request, silent, lambda: False)
        except DemoError as error:
            yield str(error)


def _tell_the_operator(progress: Progress) -> None:
    """In the Space's log, without the many lines of a download."""
    if progress.fraction is None:
        print(progress.sentence, flush=True)


def _choose() -> Placement:
    from dmd2_demo.device import zero_gpu  # noqa: PLC0415 - imports torch, which `spaces` must come before

    return zero_gpu.choose()
