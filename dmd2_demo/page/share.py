"""The shown picture as something to give away: a link, a Python program, a call of this page's API."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from typing import Any, TypeGuard
from urllib.parse import urlencode

import gradio as gr
from PIL import Image

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.fields import Flag, Given, fields_of
from dmd2_demo.generate.program import INPUT, program
from dmd2_demo.generate.request import Request
from dmd2_demo.models.vocabulary import Understood
from dmd2_demo.page.events import PRIVATE
from dmd2_demo.page.filling import Filling, Restored

# What became of it; filled in by scripts/share.js.
_COPIED = '<p id="copied" role="status"></p>'
# What is told of several pictures is the first one's, but for `pictures`.
_OPENED = "(told) => [{ ...told, ...told?.pictures?.[window.dmd2Opened()] }, window.dmd2Share.address()]"
_COPY = "async (copied) => { await window.dmd2Share.copy(copied?.text); }"


@dataclass(frozen=True)
class Share:
    """The buttons, and what shows the text that they copy. `copied` is that text for the browser."""

    link: gr.Button
    python: gr.Button
    call: gr.Button
    text: gr.Code
    address: gr.Textbox
    copied: gr.JSON


def buttons() -> Share:
    """Lays them out."""
    with gr.Row():
        small: dict[str, Any] = {"size": "sm", "min_width": 90}
        link = gr.Button("Copy link", **small)
        python = gr.Button("Copy as Python", **small)
        call = gr.Button("Copy as API call", **small)
    gr.HTML(_COPIED, js_on_load=None, padding=False, elem_classes="status")
    text = gr.Code(language="python", visible=False, show_label=False, wrap_lines=True, max_lines=16, interactive=False)
    return Share(link, python, call, text, gr.Textbox(visible=False), gr.JSON(visible=False))


def connect(
    page: gr.Blocks,
    share: Share,
    settings: gr.JSON,
    filling: Filling,
    understood: Callable[[Request], Understood],
) -> None:
    """Connects them with the settings of the shown or opened picture, inside the page, which opens such links.

    Programs say the prompt as it was `understood`.
    """

    def shown(write: Callable[[Restored, str, object], str]) -> Callable[[object, object], list[Any]]:
        def show(told: object, address: object) -> list[Any]:
            settings = dict(told) if isinstance(told, dict) else {}
            restored = filling.restored(settings)
            for notice in restored.notices:
                raise DemoError(notice)
            text = write(restored, str(address)[:2000], settings.get("weights"))
            # Each press is a change, also where the text is the one before.
            return [gr.Code(text, visible=True), {"text": text, "press": time.time_ns()}]

        return show

    for button, write in ((share.link, link), (share.python, partial(python, understood)), (share.call, api_call)):
        button.click(
            shown(write),
            [settings, share.address],
            [share.text, share.copied],
            js=_OPENED,
            queue=False,
            **PRIVATE,
        )
    # What follows an event may still see the text from before it; what follows the change does not.
    share.copied.change(None, share.copied, None, js=_COPY, **PRIVATE)

    def opened(request: gr.Request) -> list[Any]:
        told = from_query(dict(request.query_params), filling)
        if not told:
            return [gr.skip() for _ in filling.outputs]
        restored = filling.restored(told)
        for notice in restored.notices:
            gr.Warning(escape(notice, quote=False), title="Not all of the link can be used")
        return filling.updates(restored)

    # Through the queue, without which Gradio shows no warning.
    page.load(opened, None, filling.outputs, concurrency_limit=None, **PRIVATE)


def link(restored: Restored, address: str, _weights: object) -> str:
    """The page's address with the settings in its query."""
    return f"{address}?{urlencode({'task': restored.tab.form.request.task, **restored.values})}"


def from_query(query: Mapping[str, str], filling: Filling) -> dict[str, Any]:
    """The settings in a link's query, unchecked; {} where it has none of ours."""
    fields = filling.fields(query.get("task"))
    told: dict[str, Any] = {name: query[name] for name in fields if name in query}
    for name, value in told.items():
        if isinstance(fields[name], Flag) and value.lower() in {"true", "false"}:
            told[name] = value.lower() == "true"
    return told | ({"task": query["task"]} if "task" in query else {})


def python(understood: Callable[[Request], Understood], restored: Restored, _address: str, weights: object) -> str:
    """The program for these settings. `weights` are what they say of files, from a browser."""
    if "prompt" not in restored.values:
        raise DemoError("There is no picture with settings to write a program for.")
    form = restored.tab.form
    # A picture to follow is the reader's own; here it only decides the size.
    given = {
        name: Image.new("RGB", restored.size or (1, 1))
        for name, field in fields_of(form.request).items()
        if isinstance(field, Given)
    }
    # The size is told already.
    values = {name: value for name, value in restored.values.items() if name != "upscale"}
    request = form.blank(values, **given)
    files = [one["file"] for one in (weights if isinstance(weights, list) else ()) if _names_a_file(one)]
    return program(replace(request, prompt=understood(request).prompt), files)


def _names_a_file(told: object) -> TypeGuard[dict[str, str]]:
    return isinstance(told, dict) and isinstance(told.get("file"), str)


def api_call(restored: Restored, address: str, _weights: object) -> str:
    """What asks this page for the picture, from another program."""
    request = restored.tab.form.request
    given = [name for name, field in fields_of(request).items() if isinstance(field, Given)]
    lines = [f"    {name}={value!r}," for name, value in restored.values.items()]
    lines += [f'    {name}=handle_file("{INPUT}"),  # the one that it was made from' for name in given]
    return "\n".join(
        [
            f"from gradio_client import Client{', handle_file' if given else ''}",
            "",
            f"client = Client({address!r})",
            "gallery, seed, settings = client.predict(",
            *lines,
            f'    api_name="/{request.task}",',
            ")",
            "",
        ]
    )
