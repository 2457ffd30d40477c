"""What was clicked in a row of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import gradio as gr
from gradio.blocks import Block

from dmd2_demo.errors import DemoError

Item = TypeVar("Item")

NO_LONGER_THERE = "What was clicked is no longer there."


class Selected(gr.EventData):
    """As gr.SelectData, which fails with a KeyError or TypeError where strangers send no or odd data."""

    def __init__(self, target: Block | None, data: Any) -> None:
        super().__init__(target, data)
        index = data.get("index") if isinstance(data, dict) else None
        self._index = index[0] if isinstance(index, list) and index else index

    @property
    def number(self) -> int:
        """The place of what was clicked, counted from 0. DemoError where there is none."""
        if isinstance(self._index, bool) or not isinstance(self._index, int) or self._index < 0:
            raise DemoError(NO_LONGER_THERE)
        return self._index

    def of(self, items: Sequence[Item]) -> Item:
        """The one of `items` that was clicked. DemoError where there is none."""
        if self.number >= len(items):
            raise DemoError(NO_LONGER_THERE)
        return items[self.number]
