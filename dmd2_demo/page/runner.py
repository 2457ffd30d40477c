"""From a tab's values to what its components show; errors become sentences on the page and in the API."""

from __future__ import annotations

import logging
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr

from dmd2_demo.errors import Cancelled, DemoError
from dmd2_demo.generate import fields
from dmd2_demo.generate.requests import LARGEST_SEED, Request
from dmd2_demo.generate.studio import Studio
from dmd2_demo.page.stops import Stops
from dmd2_demo.progress import Progress, Report

Shown = tuple[list[str], int, dict[str, Any]]

_log = logging.getLogger(__name__)


class Runner:
    """Runs requests for visitors. One is shared by all tabs."""

    def __init__(self, studio: Studio, stops: Stops) -> None:
        self.studio = studio
        self._stops = stops

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
            # Gradio copies each picture to its own cache, which it clears of what is old.
            with tempfile.TemporaryDirectory(prefix="dmd2-") as folder:
                yield from self._pictures(request, Path(folder), report, stopped.is_set)

    def _pictures(
        self, request: Request, folder: Path, report: Report, cancelled: Callable[[], bool]
    ) -> Iterator[Shown]:
        paths: list[str] = []
        seconds = 0.0
        for picture in self.studio.generate(request, report, cancelled):
            paths.append(str(picture.save(folder)))
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


@contextmanager
def said() -> Iterator[None]:
    """Turns errors into the sentence a visitor reads. What we did not foresee is logged and not shown."""
    try:
        yield
    except Cancelled as error:
        raise gr.Error(str(error), visible=False, print_exception=False) from None
    except DemoError as error:
        raise gr.Error(str(error), title="Not possible", print_exception=False) from None
    except gr.Error:
        raise
    except Exception:  # noqa: BLE001 - the last place where a visitor can be told
        _log.exception("unforeseen")
        raise gr.Error(
            "Something went wrong in the demo itself. Nothing of yours is lost; please try again.",
            print_exception=False,
        ) from None
