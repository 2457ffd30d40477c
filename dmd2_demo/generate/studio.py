"""From a request to pictures: the one way that page and API share."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Protocol

from PIL import Image

from dmd2_demo.errors import Cancelled, DemoError
from dmd2_demo.generate.edges import EdgeMap
from dmd2_demo.generate.fallback import Fallback, no_fallback, with_fallback
from dmd2_demo.generate.fields import LONGEST_PROMPT
from dmd2_demo.generate.identity import Identify, unidentified
from dmd2_demo.generate.metadata.a1111 import without_loras
from dmd2_demo.generate.picture import Decoded, Picture
from dmd2_demo.generate.request import Request
from dmd2_demo.models.family import Family
from dmd2_demo.models.parts import PipelineSpec
from dmd2_demo.models.vocabulary import Understood, Vocabulary
from dmd2_demo.progress import Progress, Report

_log = logging.getLogger(__name__)


class LeasedPipeline(Protocol):
    """What the studio needs of a leased pipeline."""

    def run(
        self, request: Request, seed: int, edges: Image.Image | None, on_step: Callable[[int], None]
    ) -> Decoded: ...
    def left_out(self, request: Request) -> str: ...


class Lease(Protocol):
    """How the studio gets a pipeline for one picture; visitors who wait take turns."""

    def __call__(
        self, spec: PipelineSpec, report: Report, visitor: str = ..., pixels: int = ..., *, yields: bool = ...
    ) -> AbstractContextManager[LeasedPipeline]: ...


class Studio:
    """Makes pictures of one family with leased pipelines. `identify` tells their weights, for the pictures to carry.

    `made` is told of each picture: its request and the seconds it took, without loading.
    """

    def __init__(
        self,
        family: Family,
        lease: Lease,
        fall_back: Fallback = no_fallback,
        identify: Identify = unidentified,
        made: Callable[[Request, float], None] = lambda _request, _seconds: None,
    ) -> None:
        self.family = family
        self._identify = identify
        self.vocabulary = _vocabulary(family)
        self._lease, self._fall_back, self._made = lease, fall_back, made

    def generate(
        self,
        request: Request,
        report: Report,
        cancelled: Callable[[], bool],
        visitor: str = "",
        *,
        yields: bool = False,
    ) -> Iterator[Picture]:
        """The request's pictures, each as soon as it is made; `visitor` is who takes turns with others.

        One that `yields` lets all others go first that don't.

        A lease covers one picture, so nobody holds the device while a picture travels. Raises Cancelled within
        one step, or one piece of a download, of `cancelled()` turning true, and DemoError where the picture can't
        be made.
        """
        yield from self.make(request, request.edges(), report, cancelled, visitor, yields=yields)

    def make(
        self,
        request: Request,
        found: EdgeMap | None,
        report: Report,
        cancelled: Callable[[], bool],
        visitor: str = "",
        *,
        yields: bool = False,
    ) -> Iterator[Picture]:
        """As `generate`, with the request's edges found already."""
        for picture in range(request.pictures):
            yield self.one(request, picture, found, report, cancelled, visitor, yields=yields)

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
        """As `make`, that picture of the request's alone, counted from 0."""
        edges, seen = (found.image, found.notices) if found else (None, ())
        steps = len(request.schedule)
        alone = request.alone(picture)
        understood = self.understood(alone)
        known = replace(alone, prompt=understood.prompt) if understood.taken else alone

        tell = stopping(report, cancelled)

        def on_step(done: int) -> None:
            which = f"Picture {picture + 1} of {request.pictures}, s" if request.pictures > 1 else "S"
            tell(Progress(f"{which}tep {done} of {steps}", (picture * steps + done) / (steps * request.pictures)))

        def make() -> Picture:
            pixels = math.prod(request.size)
            with self._lease(request.spec(), tell, visitor, pixels, yields=yields) as pipeline:
                started = time.perf_counter()
                decoded = pipeline.run(known, alone.seed, edges, on_step)
                seconds = time.perf_counter() - started
                left_out = pipeline.left_out(known)
            notices = (*seen, *decoded.notices, *self._notices(known, left_out, understood))
            parameters = {**request.parameters(picture), "weights": self._identify(request.spec())}
            if understood.taken:
                parameters["prompt_understood"] = understood.prompt
            return Picture(decoded.image, parameters, seconds, notices, edges)

        if cancelled():
            raise Cancelled
        made, fell = with_fallback(make, self._fall_back)
        self._made(request, made.seconds)
        return replace(made, notices=(*fell, *made.notices))

    def understood(self, request: Request) -> Understood:
        """The prompt in the family's own words; as it is where it is to be plain, or they would be too many."""
        if self.vocabulary is not None and not request.plain_prompt:
            understood = self.vocabulary.understood(request.prompt)
            if len(understood.prompt) <= LONGEST_PROMPT:
                return understood
        return Understood(request.prompt, {})

    def _notices(self, request: Request, left_out: str, understood: Understood) -> tuple[str, ...]:
        notices = [understood.notice] if understood.notice else []
        if without_loras(request.prompt)[1]:
            notices.append("<lora:...> in the prompt is read as words here: choose them under Style LoRAs.")
        if left_out:
            shown = left_out if len(left_out) <= 60 else f"{left_out[:57]}..."
            notices.append(f"The prompt is longer than the model reads; this was left out: “{shown}”")
        unknown = self.vocabulary.notice(request.words) if self.vocabulary else None
        return (*notices, unknown) if unknown else tuple(notices)


def stopping(report: Report, cancelled: Callable[[], bool]) -> Report:
    """A report that raises Cancelled in who makes it, once that is so. Downloads report too, so they stop as well."""

    def tell(progress: Progress) -> None:
        if cancelled():
            raise Cancelled
        report(progress)

    return tell


def _vocabulary(family: Family) -> Vocabulary | None:
    """What the family can draw, where it says so; pictures need no such list."""
    try:
        return Vocabulary(family.words) if family.words else None
    except DemoError as error:
        _log.warning(str(error))
        return None
