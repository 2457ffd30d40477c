"""What makes pictures in the cluster: a studio with its own manager, on one GPU or a share of the CPU."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from math import prod
from threading import Event
from typing import Any

import torch

from dmd2_demo.cluster.routing import part_key
from dmd2_demo.cluster.words import Ask, Made, ReplicaStatus, Told
from dmd2_demo.errors import Cancelled, DemoError, Failure
from dmd2_demo.generate.metadata import formats
from dmd2_demo.generate.requests import TextToImage
from dmd2_demo.generate.runtime import build_runtime
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.process import keep_freed_memory
from dmd2_demo.progress import silent
from dmd2_demo.settings import Settings

_log = logging.getLogger(__name__)

_THREADS = 16  # who was stopped holds one until the next step


class Replica:
    """Makes the pictures that it is asked for, one at a time, keeping parts as the manager does.

    It is ready once the family's most common pipeline is loaded, where that can be. `cpus` bounds its threads.
    `synchronize` raises RuntimeError where its GPU computes no more.
    """

    def __init__(
        self,
        settings: Settings,
        name: str,
        *,
        has_gpu: bool,
        cpus: int,
        synchronize: Callable[[], None] = torch.cuda.synchronize,
    ) -> None:
        keep_freed_memory()
        torch.set_num_threads(max(1, cpus))
        family = FAMILIES[settings.family]
        family = family if has_gpu else family.for_cpu()
        self._name, self._synchronize = name, synchronize if has_gpu else _nothing
        self._broken = ""
        self._runtime = build_runtime(family, settings, has_gpu=has_gpu)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="picture")
        common = TextToImage.blank(family)
        try:
            with self._runtime.manager.lease(common.spec(), silent, pixels=prod(common.size)):
                pass
        except DemoError as error:  # who asks for a picture is told, and another kind of it may do
            _log.warning("The first pipeline is not loaded: %s", error)

    async def make(self, ask: Ask) -> AsyncIterator[Told]:
        """A word at each step, then the picture or why there is none. Closed, it stops within a step."""
        loop = asyncio.get_running_loop()
        told: asyncio.Queue[Told | None] = asyncio.Queue()  # None is the end
        closed = Event()

        def tell(word: Told | None) -> None:
            loop.call_soon_threadsafe(told.put_nowait, word)

        def work() -> None:
            try:
                tell(self._picture(ask, tell, closed.is_set))
            except Cancelled:
                pass  # nobody listens
            except DemoError as error:
                tell(Failure(str(error)))
            except Exception:  # noqa: BLE001 - the last place where its trace can be seen
                _log.exception("A request failed in an unforeseen way.")
                self._look_at_device()
                tell(Failure(None))
            finally:
                tell(None)

        loop.run_in_executor(self._pool, work)
        try:
            while (word := await told.get()) is not None:
                yield word
        finally:
            closed.set()

    def check_health(self) -> None:
        """What Ray Serve asks for now and then: where it raises RuntimeError, another replica takes its place."""
        if self._broken:
            raise RuntimeError(self._broken)

    def _look_at_device(self) -> None:
        """An error that stays, of a GPU, fails each picture at once: the idlest of replicas would get them all."""
        try:
            self._synchronize()
        except RuntimeError as error:
            self._broken = str(error)

    def status(self) -> ReplicaStatus:
        """What it has loaded."""
        return ReplicaStatus(self._name, self._runtime.manager.status())

    def record_routing_stats(self) -> dict[str, Any]:
        """What Ray Serve asks for now and then, for the router."""
        return {"resident": [part_key(part) for part, _ in self._runtime.manager.status().resident]}

    def _picture(self, ask: Ask, tell: Callable[[Told], None], cancelled: Callable[[], bool]) -> Made:
        request = ask.request
        made = self._runtime.studio.one(
            request, ask.picture, ask.found, tell, cancelled, ask.visitor, yields=ask.yields
        )
        file = made.encoded(formats.named(request.file_format), settings_inside=request.settings_inside)
        return Made(file, made.parameters, made.seconds, made.notices, self.status())


def _nothing() -> None:
    """Where there is no GPU."""
