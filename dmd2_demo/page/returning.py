"""Who comes back after a lost connection gets what was made meanwhile.

Gradio opens its page anew then, as a new session. The browser's tab remembers the one before, whose name nobody else
knows.
"""

from __future__ import annotations

from asyncio import sleep
from collections.abc import AsyncIterator
from typing import Any

import gradio as gr

from dmd2_demo.page.events import PRIVATE
from dmd2_demo.page.jobs import Job, Jobs
from dmd2_demo.page.plain import plain
from dmd2_demo.page.results import Results, describe

_WAIT = 0.5  # seconds from one look at a job to the next

_REMEMBER = """(now) => {
  const before = sessionStorage.getItem('dmd2-session');
  sessionStorage.setItem('dmd2-before', before ?? '');
  sessionStorage.setItem('dmd2-session', now);
  if (before) document.querySelector('button.returned').click();
}"""
_BEFORE = "() => sessionStorage.getItem('dmd2-before')"


def connect(page: gr.Blocks, jobs: Jobs, shown: Results) -> None:
    """Connects the page's opening with `shown`, inside the page."""
    before, now = gr.Textbox(visible=False), gr.Textbox(visible=False)
    returned = gr.Button("Resume", elem_classes="returned")

    async def resume(before: object, request: gr.Request) -> AsyncIterator[list[Any]]:
        """What the session before has made, and makes until it is done."""
        job = jobs.take_over(before, request.session_hash or "") if isinstance(before, str) else None
        shows: object = ()
        while job is not None:
            seen = (job.ended, job.outputs)
            if seen != shows:
                yield _updates(job, shown)
                shows = seen
            if seen[0] is not None:
                return
            await sleep(_WAIT)
        yield shown.unchanged()

    def session(request: gr.Request) -> str | None:
        return request.session_hash

    opened = page.load(session, None, now, queue=False, **PRIVATE)
    opened.then(None, now, None, js=_REMEMBER, **PRIVATE)
    returned.click(resume, before, shown.outputs, js=_BEFORE, concurrency_limit=None, **PRIVATE)


def _updates(job: Job, shown: Results) -> list[Any]:
    """Of the results, with what the job made so far."""
    if job.ended is None:
        line = "What was asked for before this page was reloaded is still being made."
    elif job.error:
        line = f"What was asked for before this page was reloaded has ended: {job.error}"
    elif job.outputs is None:
        line = "What was asked for before this page was reloaded is done, but is not kept: please make it again."
    else:
        line = ""
    if job.outputs is None:
        return [*shown.unchanged()[:-1], plain(line)] if line else shown.unchanged()
    paths, seed, parameters = job.outputs
    return [list(paths), seed, parameters, "  \n".join(text for text in (describe(parameters), plain(line)) if text)]
