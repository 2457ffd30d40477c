"""The panel that tells what is loaded, and the endpoint `/status`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.events import Dependency, api

from dmd2_demo.errors import DemoError
from dmd2_demo.page.events import ON_DEVICE, PRIVATE
from dmd2_demo.page.plain import plain
from dmd2_demo.progress import in_bytes

_DESCRIPTION = "Tells which family of models computes on which device, and what is loaded, in bytes."
_OF_PROXIES = ("forwarded", "via", "x-real-ip")  # and all that begin with x-forwarded-


def panel(status: Callable[[], dict[str, Any]], unload: Callable[[], None] | None) -> Callable[[Dependency], None]:
    """Lays out the panel. Gives a function that, called inside the page, refreshes it after an event."""

    def refresh(listen: Callable[..., Dependency]) -> None:
        listen(lambda: _listing(status()), None, listing, queue=False, **PRIVATE)

    def refresh_after(event: Dependency) -> None:
        refresh(event.then)

    def tell() -> dict[str, Any]:
        return status()

    tell.__name__ = "status"  # what MCP calls the tool

    with gr.Accordion("Loaded models", open=False) as accordion, gr.Row():
        listing = gr.Markdown(_listing(status()))
        if unload is not None:
            button = gr.Button("Unload", size="sm", scale=0, min_width=120)
            refresh_after(button.click(_by_the_operator(unload), **ON_DEVICE, **PRIVATE))
    # What it is laid out with is as old as the page, and others load and unload as well.
    refresh(accordion.expand)
    api(tell, api_name="status", api_description=_DESCRIPTION, queue=False)
    return refresh_after


def _by_the_operator(drop_all: Callable[[], None]) -> Callable[[gr.Request], None]:
    """`drop_all` for who sits at this machine; a proxy on it may bring others, and says so."""

    def unload(request: gr.Request) -> None:
        if any(name.startswith("x-forwarded-") or name in _OF_PROXIES for name in request.headers):
            raise DemoError("Only whoever runs this page can unload its models.")
        drop_all()

    return unload


def _listing(status: dict[str, Any]) -> str:
    parts = [f"{part['part']}: {part['from']}, {in_bytes(part['bytes'])}" for part in status["resident"]]
    return "\n".join(f"- {plain(part)}" for part in parts) or "Nothing yet: models are loaded with the first picture."
