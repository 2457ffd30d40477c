"""The panel that tells what is loaded, and the endpoint `/status`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.events import Dependency, api

from dmd2_demo.page.events import ON_DEVICE, PRIVATE
from dmd2_demo.page.plain import plain
from dmd2_demo.progress import in_bytes


def panel(status: Callable[[], dict[str, Any]], unload: Callable[[], None] | None) -> Callable[[Dependency], None]:
    """Lays out the panel. Gives a function that, called inside the page, refreshes it after an event."""

    def refresh_after(event: Dependency) -> None:
        event.then(lambda: _listing(status()), None, listing, queue=False, **PRIVATE)

    with gr.Accordion("Loaded models", open=False), gr.Row():
        listing = gr.Markdown(_listing(status()))
        if unload is not None:
            button = gr.Button("Unload", size="sm", scale=0, min_width=120)
            refresh_after(button.click(unload, **ON_DEVICE, **PRIVATE))
    api(status, api_name="status", queue=False)
    return refresh_after


def _listing(status: dict[str, Any]) -> str:
    parts = [f"{part['part']}: {part['from']}, {in_bytes(part['bytes'])}" for part in status["resident"]]
    return "\n".join(f"- {plain(part)}" for part in parts) or "Nothing yet: models are loaded with the first picture."
