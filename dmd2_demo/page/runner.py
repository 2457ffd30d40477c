"""From a tab's values to what its components show; errors become sentences on the page and in the API."""

from __future__ import annotations

import errno
import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from dmd2_demo.errors import Cancelled, DemoError
from dmd2_demo.generate.metadata import formats
from dmd2_demo.generate.picture import Picture
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.studio import Studio
from dmd2_demo.page.gpu_errors import UNFORESEEN, advised
from dmd2_demo.page.jobs import Jobs
from dmd2_demo.progress import Progress, Report, silent

Outputs = tuple[list[str], int, dict[str, Any]]
"""What a generating endpoint gives: paths of the pictures, the first one's seed, and all parameters."""

_log = logging.getLogger(__name__)

FULL_DISK = "This machine's disk is full, so that no picture can be kept. Whoever runs the demo can free some of it."
_FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True)
class Job:
    """What is made for one `visitor`: where its files go, what it tells, and whether it is to end."""

    folder: Path
    report: Report
    cancelled: Callable[[], bool]
    visitor: str


class Runner:
    """Runs requests for visitors. One is shared by all tabs."""

    def __init__(self, studio: Studio, jobs: Jobs) -> None:
        self.studio = studio
        self._jobs = jobs

    def run(self, build: Callable[[], Request], visitor: str | None, progress: gr.Progress) -> Iterator[Outputs]:
        """The outputs with the pictures so far, anew for each picture."""
        with self.job(visitor, progress) as job:
            yield from self._pictures(build(), job)

    def preview(self, request: Request, visitor: str | None) -> Picture:
        """The request's first picture, for which others with more to ask for go first."""
        with self._jobs.running(visitor or "") as stopped:
            return next(self.studio.generate(request, silent, stopped.is_set, visitor or "", yields=True))

    @contextmanager
    def job(self, visitor: str | None, progress: gr.Progress) -> Iterator[Job]:
        """Something to be made for a visitor, which Stop reaches and `progress` shows."""

        def report(now: Progress) -> None:
            # Gradio draws a bar only for a number.
            progress(now.fraction if now.fraction is not None else 0.0, desc=now.sentence)

        with (
            self._jobs.running(visitor or "") as stopped,
            # Gradio copies each picture to its own cache, which it clears of what is old.
            tempfile.TemporaryDirectory(prefix="dmd2-") as folder,
        ):
            yield Job(Path(folder), report, stopped.is_set, visitor or "")

    def _pictures(self, request: Request, job: Job) -> Iterator[Outputs]:
        paths: list[str] = []
        first: dict[str, Any] = {}
        seconds = 0.0
        file_format = formats.named(request.file_format)
        for picture in self.studio.generate(request, job.report, job.cancelled, job.visitor):
            paths.append(str(picture.save(job.folder, file_format, settings_inside=request.settings_inside)))
            first = first or picture.parameters
            seconds += picture.seconds
            parameters = {
                **first,
                "images": request.images,
                "seconds": round(seconds, 3),
                "notices": list(picture.notices),
            }
            yield list(paths), request.seed, parameters

    def stop_of(self, request: gr.Request) -> None:
        """Ends within one step what the sender of `request` has running."""
        self._jobs.stop(request.session_hash or "")


@contextmanager
def errors_shown() -> Iterator[None]:
    """Turns errors into the sentence a visitor reads. What we did not foresee is logged and not shown."""
    try:
        yield
    except Cancelled as error:
        raise gr.Error(str(error), visible=False, print_exception=False) from None
    except DemoError as error:
        # The page takes it for HTML, and it may quote what a visitor wrote.
        raise gr.Error(escape(str(error), quote=False), title="Not possible", print_exception=False) from None
    except gr.Error as error:  # what `spaces` raises
        raise advised(error) from None
    except Exception as error:  # noqa: BLE001 - the last place where a visitor can be told
        if isinstance(error, OSError) and error.errno in _FULL:
            _log.exception("full")
            raise gr.Error(FULL_DISK, title="Not possible", print_exception=False) from None
        _log.exception("unforeseen")
        raise gr.Error(UNFORESEEN, print_exception=False) from None
