"""The page, from top to bottom."""

from __future__ import annotations

from html import escape

import gradio as gr

from dmd2_demo.generate.studio import Studio
from dmd2_demo.models.family import Family
from dmd2_demo.page import canny, loaded, lora, text_to_image
from dmd2_demo.page.house import House
from dmd2_demo.page.runner import Runner
from dmd2_demo.page.stops import Stops

_DAY = 86_400


def build(studio: Studio, house: House) -> gr.Blocks:
    """The whole page. Nothing is loaded by building it."""
    runner = Runner(studio, Stops())
    # Uploads and pictures older than a day are removed from Gradio's cache once an hour.
    page: gr.Blocks
    with gr.Blocks(title="DMD2", analytics_enabled=False, delete_cache=(3600, _DAY)) as page:
        gr.HTML(_header(studio.family, house.device), elem_id="header", padding=False)
        events = [tab(runner, house) for tab in (text_to_image.tab, lora.tab, canny.tab)]
        refresh_after = loaded.panel(house.status, house.unload)
        for event in events:
            refresh_after(event)
        page.unload(runner.stop_of)
    return page


def _header(family: Family, device: str) -> str:
    licence = family.licence
    note = f", {escape(licence.note)}" if licence.note else ""
    return (
        "<h1>DMD2</h1>"
        f'<span class="facts"><b>{escape(family.title)}</b>: {escape(family.about)} · {escape(device)} · '
        f'licence <a href="{escape(licence.url)}" target="_blank" rel="noopener">{escape(licence.name)}</a>{note}'
        "</span>"
    )
