"""Pictures that the browser puts into inputs by itself (scripts/files.js): what is said where it can't."""

from __future__ import annotations

import gradio as gr

from dmd2_demo.errors import DemoError
from dmd2_demo.page.events import PRIVATE


def connect() -> None:
    """Lays out the hidden button that the browser presses then, inside the page."""
    gr.Button("Not given", elem_classes="not-given").click(_tell, None, None, concurrency_limit=None, **PRIVATE)


def _tell() -> None:
    raise DemoError("The picture could not be put there. Please download it and choose its file.")
