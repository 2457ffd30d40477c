"""Gradio's blocks, so that whatever is sent to an event is answered: by a result, or by a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction

from dmd2_demo.generate.clean_json import clean_json
from dmd2_demo.page.runner import errors_shown

_DEEPEST = 100  # lists and objects within each other: settings from a picture have half of that at the most


class Blocks(gr.Blocks):
    """gr.Blocks whose every event tells errors in sentences, also those that Gradio raises before it calls ours."""

    async def preprocess_data(self, *arguments: Any, **named: Any) -> Any:
        """As gr.Blocks's, which reads what was sent into what events take."""
        with _unreadable_told():
            return await super().preprocess_data(*arguments, **named)

    async def call_function(self, block_fn: BlockFunction | int, *arguments: Any, **named: Any) -> Any:
        """As gr.Blocks's. What fails in a function of Gradio's own, such as its examples', is what was sent."""
        function = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        ours = not getattr(function.fn, "__module__", "").startswith("gradio.")
        with nullcontext() if ours else _unreadable_told():
            return await super().call_function(block_fn, *arguments, **named)

    async def process_api(self, block_fn: BlockFunction | int, inputs: list[Any], *arguments: Any, **named: Any) -> Any:
        """As gr.Blocks's, of texts that answers can hold, and with errors shown."""
        with errors_shown():
            with _unreadable_told():
                # Before anything is checked, so that what is checked is what is used.
                sent = clean_json(inputs, _DEEPEST)
            return await super().process_api(block_fn, sent, *arguments, **named)


@contextmanager
def _unreadable_told() -> Iterator[None]:
    """One and the same sentence for whatever strangers may send that is nothing; the page itself never does."""
    try:
        yield
    except Exception:  # noqa: BLE001 - there is no end to what can be wrong with it
        raise gr.Error(
            "This page can't use what was sent. Reloading it may help.",
            title="Not possible",
            print_exception=False,
        ) from None
