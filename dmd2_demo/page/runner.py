"""From a tab's values to what its components show; errors become sentences on the page and in the API."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import LocalContext

from dmd2_demo.errors import Cancelled, DemoError
from dmd2_demo.generate.metadata import formats
from dmd2_demo.generate.picture import Picture
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.studio import Studio
from dmd2_demo.page.jobs import Job, Jobs, Outputs
from dmd2_demo.page.other_errors import advised, sentence_of
from dmd2_demo.page.visitors import Visitor
from dmd2_demo.progress import Progress, Report, silent

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """A job at work, for whom, and what it tells how far it is."""

    job: Job
    visitor: str
    report: Report

    @property
    def folder(self) -> Path:
        """Where its files go."""
        return self.job.folder

    def cancelled(self) -> bool:
        """Whether it is to end."""
        return self.job.stopped.is_set()


class Runner:
    """Runs requests for visitors. One is shared by all tabs. A `sender` is the event's own gr.Request."""

    def __init__(self, studio: Studio, jobs: Jobs) -> None:
        self.studio = studio
        self._jobs = jobs

    def run(self, build: Callable[[], Request], sender: gr.Request, progress: gr.Progress) -> Iterator[Outputs]:
        """The outputs with the pictures so far, anew for each picture."""
        with self.running(sender, progress) as run:
            for outputs in self._pictures(build(), run):
                run.job.outputs = outputs
                yield outputs

    def preview(self, request: Request, sender: gr.Request) -> Picture:
        """The request's first picture, for which others with more to ask for go first."""
        with self._jobs.running(sender.session_hash or "", kept=False) as job:
            visitor = _visitor(sender).name
            return next(self.studio.generate(request, silent, job.stopped.is_set, visitor, yields=True))

    @contextmanager
    def running(self, sender: gr.Request, progress: gr.Progress) -> Iterator[Run]:
        """Something to be made for `sender`, which Stop reaches and `progress` shows."""
        last: Progress | None = None

        def report(now: Progress) -> None:
            nonlocal last
            if now != last:  # each word travels to the browser
                last = now
                # Gradio draws a bar only for a number.
                progress(now.fraction if now.fraction is not None else 0.0, desc=now.sentence)

        visitor = _visitor(sender)
        with self._jobs.running(sender.session_hash or "", kept=bool(visitor.session)) as job:
            yield Run(job, visitor.name, report)

    def _pictures(self, request: Request, run: Run) -> Iterator[Outputs]:
        paths: list[str] = []
        first: dict[str, Any] = {}
        own: list[dict[str, Any]] = []
        seconds = 0.0
        file_format = formats.named(request.file_format)
        for picture in self.studio.generate(request, run.report, run.cancelled, run.visitor):
            paths.append(str(picture.save(run.folder, file_format, settings_inside=request.settings_inside)))
            first = first or picture.parameters
            own.append({name: picture.parameters[name] for name in ("prompt", "seed")})
            seconds += picture.seconds
            parameters = {
                **first,
                "images": request.images,
                "pictures": list(own),
                "seconds": round(seconds, 3),
                "notices": list(picture.notices),
            }
            yield list(paths), request.seed, parameters

    def stop_of(self, sender: gr.Request) -> None:
        """Ends within one step what `sender` has running."""
        self._jobs.stop(sender.session_hash or "")


def _visitor(sender: gr.Request) -> Visitor:
    return Visitor.of(sender.client, sender.session_hash, LocalContext.event_id.get(None))


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
        _log.exception("A request failed in an unforeseen way.")
        raise gr.Error(sentence_of(error), print_exception=False) from None
