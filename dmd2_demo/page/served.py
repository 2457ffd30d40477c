"""The page as strangers may have it: no file but the visitor's own, no more requests than others can bear."""

from __future__ import annotations

from contextlib import ExitStack
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.state_holder import SessionState
from gradio.utils import get_upload_folder

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.clean_json import letters_in
from dmd2_demo.page.blocks import Blocks
from dmd2_demo.page.inputs import PictureInput
from dmd2_demo.page.jobs import Jobs
from dmd2_demo.page.queue import VisitorsQueue
from dmd2_demo.page.runner import errors_shown
from dmd2_demo.page.uploads import Uploads
from dmd2_demo.page.visitors import Limits, Present, Visitor


@dataclass(frozen=True)
class _Asking:
    """Who sent the request that is being answered; `queued`, where it had a place in the queue."""

    visitor: Visitor
    queued: bool


_LONGEST = 1_500_000
"""Letters of all that an event is sent, but for pictures: settings that were read from one come back."""

_UNQUEUED = Limits(per_visitor=32, per_address=96)
"""What needs no device is short, and a page that opens sends ten such events at once."""

_asking: ContextVar[_Asking | None] = ContextVar("asking", default=None)


class ServedBlocks(Blocks):
    """Blocks that check, before Gradio opens anything, which files a request names and how many its sender has."""

    _queue: VisitorsQueue

    def __init__(self, limits: Limits, jobs: Jobs, **look: Any) -> None:
        self._limits, self._present, self._jobs = limits, Present(_UNQUEUED), jobs
        self.uploads = Uploads(Path(get_upload_folder()))
        super().__init__(**look)

    def __exit__(self, *raised: object) -> None:
        """As gr.Blocks's, once all is laid out."""
        super().__exit__(*raised)  # type: ignore[arg-type]
        for block in self.blocks.values():
            if isinstance(block, gr.Dataset):
                self.uploads.shown_to_all(block.samples)
            if isinstance(block, gr.Gallery):
                self.uploads.shown_to_all(block.value)

    def queue(self, *arguments: Any, **options: Any) -> ServedBlocks:
        """As gr.Blocks's; nobody gets past it."""
        super().queue(*arguments, **options | {"api_open": False})
        self._queue = VisitorsQueue(self._queue, self._limits, self._jobs.is_awaited, self._jobs.stop)
        return self

    async def process_api(self, *arguments: Any, **named: Any) -> Any:
        """As Blocks's, for each request and once more for each picture that follows the first.

        DemoError where the visitor has too many that no queue counts.
        """
        asking = None if named.get("explicit_call") else _asking_of(named)
        token = _asking.set(asking)
        try:
            with ExitStack() as counted:
                if asking:
                    with errors_shown():
                        if not asking.queued:
                            counted.enter_context(self._present.counted(asking.visitor))
                        self.uploads.admit(getattr(named.get("event_data"), "_data", None), asking.visitor)
                return await super().process_api(*arguments, **named)
        finally:
            _asking.reset(token)

    async def preprocess_data(self, block_fn: BlockFunction, inputs: list[Any], *arguments: Any, **named: Any) -> Any:
        """As Blocks's. DemoError where `inputs` name a file that is not the visitor's, or are longer than any need."""
        asking = _asking.get()
        if asking:
            components = [*block_fn.inputs, *[None] * len(inputs)]
            pairs = list(zip(components, inputs, strict=False))
            if letters_in([value for component, value in pairs if not isinstance(component, PictureInput)]) > _LONGEST:
                raise DemoError(f"That is more than {_LONGEST:,} letters, which nothing here needs.")
            inputs = [
                self.uploads.admit_picture(value, asking.visitor)
                if isinstance(component, PictureInput)
                else self.uploads.admit(value, asking.visitor)
                for component, value in pairs
            ]
        return await super().preprocess_data(block_fn, inputs, *arguments, **named)

    async def postprocess_data(
        self, block_fn: BlockFunction, predictions: list[Any] | dict[Any, Any], state: SessionState | None
    ) -> list[Any]:
        """As Blocks's. The files in it may come back from the visitor. DemoError where it shows what poses as one."""
        self.uploads.require_no_files(predictions)
        shown = await super().postprocess_data(block_fn, predictions, state)
        asking = _asking.get()
        if asking:
            self.uploads.given(shown, asking.visitor)
        return shown


def _asking_of(named: dict[str, Any]) -> _Asking:
    request = named.get("request")
    client = getattr(request[0] if isinstance(request, list) else request, "client", None)
    event = named.get("event_id")
    return _Asking(Visitor.of(client, named.get("session_hash"), event), queued=event is not None)
