"""From a tab's values to what its components show; errors become sentences on the page and in the API."""

from __future__ import annotations

import logging
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from dmd2_demo import fields
from dmd2_demo.errors import Cancelled, DemoError
from dmd2_demo.page.stops import Stops
from dmd2_demo.progress import Progress
from dmd2_demo.requests import LARGEST_SEED, Request
from dmd2_demo.studio import Studio

Shown = tuple[list[str], int, dict[str, Any]]

_log = logging.getLogger(__name__)


class Runner:
    """Runs requests for visitors. One is shared by all tabs."""

    def __init__(self, studio: Studio, stops: Stops) -> None:
        self.studio = studio
        self._stops = stops
        # Gradio serves files from the system's temporary folder and copies them to its own cache.
        self._folder = Path(tempfile.mkdtemp(prefix="dmd2-"))

    def run(
        self,
        build: Callable[[int], Request],
        seed: int | None,
        randomize_seed: bool,
        visitor: str | None,
        progress: gr.Progress,
    ) -> Iterator[Shown]:
        """Paths of the pictures so far, the first one's seed, and all settings; anew for each picture."""

        def report(now: Progress) -> None:
            # Gradio draws a bar only for a number.
            progress(now.fraction if now.fraction is not None else 0.0, desc=now.sentence)

        with said(), self._stops.running(visitor or "") as stopped:
            chosen = (
                random.randrange(LARGEST_SEED + 1) if randomize_seed else fields.whole("Seed", seed, 0, LARGEST_SEED)
            )
            request = build(chosen)
            paths: list[str] = []
            seconds = 0.0
            for picture in self.studio.generate(request, report, stopped.is_set):
                paths.append(str(picture.save(self._folder)))
                seconds += picture.seconds
                settings = {
                    **request.settings(),
                    "images": request.images,
                    "seconds": round(seconds, 3),
                    "notices": list(picture.notices),
                }
                yield list(paths), request.seed, settings

    def stop_of(self, request: gr.Request) -> None:
        """Ends within one step what the sender of `request` has running."""
        self._stops.stop(request.session_hash or "")


class said:  # noqa: N801 - reads as a phrase: `with said():`
    """Turns errors into the sentence a visitor reads. What we did not foresee is logged and not shown."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, Cancelled):
            raise gr.Error(str(error), visible=False, print_exception=False) from None
        if isinstance(error, DemoError):
            raise gr.Error(str(error), title="Not possible", print_exception=False) from None
        if isinstance(error, Exception) and not isinstance(error, gr.Error):
            _log.error("unforeseen", exc_info=error)
            raise gr.Error(
                "Something went wrong in the demo itself. Nothing of yours is lost; please try again.",
                print_exception=False,
            ) from None
