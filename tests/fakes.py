"""Parts, loaders and pipelines that weigh nothing: what manager and studio are tested with, without torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.manager import PipelineManager
from dmd2_demo.generate.picture import Decoded
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.studio import Studio
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.parts import Adapter, Lora, Part, PipelineSpec, Pristine, Scheduler, TextEncoders, UNet, Vae
from dmd2_demo.models.sources import File, Folder
from dmd2_demo.progress import Report, silent

BASE = Folder(Path("base"))
TEXT, VAE, SCHEDULER, ADAPTER = TextEncoders(BASE), Vae(BASE), Scheduler(), Adapter(Folder(Path("adapter")))
FOUR, ONE = (UNet(BASE, File(Folder(Path("dmd2")), name)) for name in ("four", "one"))
BARE = UNet(BASE)
LORA = Lora(File(Folder(Path("dmd2")), "lora"), BASE)

FOUR_STEPS = PipelineSpec(TEXT, FOUR, VAE, SCHEDULER)
ONE_STEP = PipelineSpec(TEXT, ONE, VAE, SCHEDULER)
CANNY = PipelineSpec(TEXT, FOUR, VAE, SCHEDULER, ADAPTER)
COMMUNITY = PipelineSpec(TEXT, BARE, VAE, SCHEDULER)
STYLED = PipelineSpec(TEXT, BARE, VAE, SCHEDULER, loras=(LORA,))

SIZES = {UNet: 10, Pristine: 0, Lora: 0, TextEncoders: 3, Vae: 2, Scheduler: 0, Adapter: 1}


@dataclass
class FakeBackend:
    """What a manager is handed. `breaks` names parts whose fetch or load fails; `calls` is what was done, in order."""

    calls: list[tuple[str, Part | None]] = field(default_factory=list)
    breaks: dict[str, set[Part]] = field(default_factory=lambda: {"fetch": set(), "load": set()})
    on_fetch: Callable[[Part], None] = lambda part: None

    def fetch(self, part: Part, report: Report) -> int:
        self._do("fetch", part)
        self.on_fetch(part)
        return SIZES[type(part)]

    def load(self, part: Part) -> str:
        self._do("load", part)
        return f"module of {part.title}"

    def assemble(self, spec: PipelineSpec, modules: Mapping[Part, Any]) -> dict[Part, Any]:
        assert set(modules) == set(spec.parts())
        return dict(modules)

    def release(self) -> None:
        self.calls.append(("release", None))

    def loaded(self) -> list[Part]:
        """The parts loaded since the last question, in order."""
        loaded = [part for call, part in self.calls if call == "load" and part]
        self.calls.clear()
        return loaded

    def manager(
        self,
        budget: int | None = None,
        room: Callable[[int], float] = lambda _: math.inf,
        require_room: Callable[[int, int], None] = lambda _size, _working: None,
    ) -> PipelineManager[dict[Part, Any]]:
        return PipelineManager(
            fetch=self.fetch,
            load=self.load,
            assemble=self.assemble,
            release=self.release,
            room=room,
            require_room=require_room,
            budget=budget,
        )

    def _do(self, call: str, part: Part) -> None:
        self.calls.append((call, part))
        if part in self.breaks[call]:
            raise DemoError(f"The {call} of {part.title} fails.")


@dataclass
class FakePipeline:
    """Draws a plain picture whose colour is the seed. `drawn` is what was asked of it."""

    unread: str = ""
    drawn: list[tuple[int, Image.Image | None]] = field(default_factory=list)
    before_step: Callable[[int], None] = lambda step: None
    notices: tuple[str, ...] = ()

    def run(self, request: Request, seed: int, edges: Image.Image | None, on_step: Callable[[int], None]) -> Decoded:
        self.drawn.append((seed, edges))
        for step in range(1, len(request.schedule) + 1):
            self.before_step(step)
            on_step(step)
        return Decoded(Image.new("RGB", request.size, (seed % 256, 0, 0)), self.notices)

    def left_out(self, request: Request) -> str:
        return self.unread


Manager = PipelineManager[dict[Part, object]]


def use(manager: Manager, spec: PipelineSpec) -> dict[Part, object]:
    with manager.lease(spec, silent) as pipeline:
        return pipeline


def resident(manager: Manager) -> set[Part]:
    return {part for part, _ in manager.status().resident}


FAMILY = replace(FAMILIES["embedded"], words=None)


class FakedStudio:
    """A studio over a fake pipeline. `leases` counts those begun, `held` is true inside one."""

    def __init__(self, words: Path | None = None) -> None:
        self.pipeline = FakePipeline()
        self.leases: list[PipelineSpec] = []
        self.held = False
        self.studio = Studio(replace(FAMILY, words=words), self.lease)

    @contextmanager
    def lease(
        self, spec: PipelineSpec, report: Report, visitor: str = "", pixels: int = 0, *, yields: bool = False
    ) -> Iterator[FakePipeline]:
        self.leases.append(spec)
        self.held = True
        try:
            yield self.pipeline
        finally:
            self.held = False
