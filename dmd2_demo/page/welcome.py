"""What a visitor finds: the first example, its picture and its settings."""

from __future__ import annotations

from typing import Any

import gradio as gr

from dmd2_demo.page import examples
from dmd2_demo.page.events import PRIVATE
from dmd2_demo.page.filling import Filling
from dmd2_demo.page.results import Results
from dmd2_demo.page.tabs import Tab


def connect(page: gr.Blocks, tab: Tab, filling: Filling, results: Results) -> None:
    """Fills in the form when the page is opened. Not as components' values: those are the API's defaults."""

    def welcome() -> list[Any]:
        return examples.filled(tab, tab.examples[0], filling, results)

    page.load(welcome, None, [*filling.outputs, *results.outputs], queue=False, **PRIVATE)
