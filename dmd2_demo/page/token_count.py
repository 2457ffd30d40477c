"""How many tokens the prompt has, told while it is written."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.prompt.counting import TokenCounter
from dmd2_demo.generate.requests import TextToImage
from dmd2_demo.models.family import Family
from dmd2_demo.page.events import PRIVATE


def connect(page: gr.Blocks, family: Family, prompt: Any, plain: Any, line: Component) -> None:
    """Keeps `line` up with the prompt, inside the page. The tokenizer is read once somebody has opened it."""

    def told(prompt: object, plain: object) -> str:
        try:
            return sentence(family, prompt, plain)
        except DemoError:
            # What is wrong with a prompt is said where a picture is asked for.
            return ""

    gr.on(
        [prompt.change, plain.change, page.load],
        told,
        [prompt, plain],
        line,
        queue=False,
        # While somebody writes, one is counted at a time, and after it the last.
        trigger_mode="always_last",
        **PRIVATE,
    )


def sentence(family: Family, prompt: object, plain: object) -> str:
    """A few words about the longest that a prompt stands for. DemoError where there are no pictures to make of it."""
    asked = TextToImage.blank(family, prompt=prompt, plain_prompt=plain)
    many = f"{len(asked.prompts)} prompts, the longest with " if len(asked.prompts) > 1 else ""
    return many + _counter(family.tokenizer).sentence(asked.prompts, plain=asked.plain_prompt)


@cache
def _counter(folder: Path) -> TokenCounter:
    return TokenCounter(folder)
