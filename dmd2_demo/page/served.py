"""The page as it is served to strangers: what comes in with a request is checked before Gradio touches it."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.state_holder import SessionState
from gradio.utils import get_upload_folder

from dmd2_demo.errors import DemoError
from dmd2_demo.page.inputs import PictureInput
from dmd2_demo.page.queue import VisitorsQueue
from dmd2_demo.page.runner import errors_shown
from dmd2_demo.page.uploads import Uploads
from dmd2_demo.page.visitors import Limits, Present, Visitor

_log = logging.getLogger(__name__)

_asking: ContextVar[Visitor | None] = ContextVar("asking", default=None)


class ServedBlocks(gr.Blocks):
    """gr.Blocks that opens no file but the visitor's own, and takes no more requests of one visitor than `limits`.

    What goes wrong before or after an event's own function is told in a sentence too.
    """

    def __init__(self, limits: Limits, **look: Any) -> None:
        self._limits, self._present = limits, Present(limits)
        self.uploads = Uploads(Path(get_upload_folder()))
        super().__init__(**look)

    def queue(self, *arguments: Any, **options: Any) -> ServedBlocks:
        """As gr.Blocks does; nobody gets past the queue."""
        super().queue(*arguments, api_open=False, **options)
        self._queue = VisitorsQueue(self._queue, self._limits)
        return self

    async def process_api(self, block_fn: Any, inputs: list[Any], *arguments: Any, **options: Any) -> dict[str, Any]:
        """As gr.Blocks does, for each request and once more for each picture that follows the first."""
        if options.get("explicit_call"):
            return await super().process_api(block_fn, inputs, *arguments, **options)
        visitor = _visitor(options)
        token = _asking.set(visitor)
        try:
            with errors_shown():
                function = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
                self._admit(function, inputs, visitor)
                self.uploads.admit(getattr(options.get("event_data"), "_data", None), visitor)
                if options.get("event_id"):
                    return await super().process_api(block_fn, inputs, *arguments, **options)
                with self._present.counted(visitor):
                    return await super().process_api(block_fn, inputs, *arguments, **options)
        finally:
            _asking.reset(token)

    async def preprocess_data(self, *arguments: Any, **options: Any) -> list[Any]:
        """As gr.Blocks does. DemoError where what was sent fits no component."""
        try:
            processed: list[Any] = await super().preprocess_data(*arguments, **options)
        except (gr.Error, DemoError):
            raise
        except Exception as error:
            _log.warning("refused what does not fit the page: %r", error)
            raise DemoError("That is not what this page sends. Reload it, and try again.") from error
        return processed

    async def postprocess_data(
        self, block_fn: BlockFunction, predictions: list[Any] | dict[Any, Any], state: SessionState | None
    ) -> list[Any]:
        """As gr.Blocks does; the files in it may come back from whom they go to."""
        shown = await super().postprocess_data(block_fn, predictions, state)
        visitor = _asking.get()
        if visitor is not None:
            self.uploads.given(shown, visitor)
        return shown

    def _admit(self, function: BlockFunction, inputs: list[Any], visitor: Visitor) -> None:
        """Puts what may be used in place of what was sent. DemoError where something may not."""
        components = [*function.inputs, *[None] * len(inputs)]
        for number, (component, value) in enumerate(zip(components, inputs, strict=False)):
            admit = self.uploads.admit_picture if isinstance(component, PictureInput) else self.uploads.admit
            inputs[number] = admit(value, visitor)


def _visitor(options: dict[str, Any]) -> Visitor:
    request = options.get("request")
    request = request[0] if isinstance(request, list) else request
    client = getattr(request, "client", None)
    session = options.get("session_hash") or ""
    # The queue gives the name of the event to a session that has none.
    return Visitor(client.host if client else "", "" if session == options.get("event_id") else session)
