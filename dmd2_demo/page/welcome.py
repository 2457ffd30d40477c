"""What a visitor finds: the first example's words, beside its picture, which the results begin with."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from dmd2_demo.models.family import Example
from dmd2_demo.page.events import PRIVATE


def connect(page: gr.Blocks, prompt: Any, example: Example) -> None:
    """Fills in the prompt when the page is opened, unless something was written meanwhile.

    Not as the component's value, which would be the API's default.
    """
    page.load(None, prompt, prompt, js=f"(written) => written || {json.dumps(example.prompt)}", **PRIVATE)
