"""Where a contact sheet is shown: its cells, which fill in the form when they are clicked, and its file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import Dependency

from dmd2_demo.errors import DemoError
from dmd2_demo.generate import axis
from dmd2_demo.generate.fields import fields_of
from dmd2_demo.generate.sheet import cell_settings, checked_axes, titles
from dmd2_demo.generate.sheet_picture import cells_in
from dmd2_demo.page.compare import Comparison
from dmd2_demo.page.events import PRIVATE
from dmd2_demo.page.filling import Filling
from dmd2_demo.page.form import Form
from dmd2_demo.page.results import Results, describe
from dmd2_demo.page.selected import NO_LONGER_THERE, Selected

_SET_COLUMNS = (
    "(settings) => document.querySelector('#sheet').style.setProperty("
    "'--across', String(settings?.sheet?.grid?.columns ?? 4))"
)
TO_SHEET = "() => document.querySelector('#sheet').scrollIntoView({ block: 'nearest' })"
"""Scrolls to it."""
CLICKS = "A click on one takes its settings, a click on another compares the two."

_Clicked = tuple[int, str]
"""A cell's number, and what tells its sheet from others."""


@dataclass(frozen=True)
class SheetView:
    """Everything about the sheet that is shown; hidden where there is none yet."""

    place: gr.Column
    gallery: gr.Gallery
    status: gr.Markdown
    file: gr.DownloadButton
    settings: gr.JSON


def view() -> SheetView:
    """Lays it out."""
    with gr.Column(visible=False, elem_id="sheet") as place:
        gr.Markdown("### Contact sheet")
        gallery = gr.Gallery(
            label="Contact sheet",
            show_label=False,
            format="png",
            type="filepath",
            height="auto",
            object_fit="contain",
            allow_preview=False,
            interactive=False,
            buttons=[],
        )
        status = gr.Markdown(elem_classes="status")
        file = gr.DownloadButton("Download the sheet", size="sm")
        settings = gr.JSON(label="Settings", visible=False)
    settings.change(None, settings, None, js=_SET_COLUMNS, **PRIVATE)
    return SheetView(place, gallery, status, file, settings)


def connect(view: SheetView, filling: Filling, results: Results, comparison: Comparison) -> Dependency:
    """A click on a cell takes its settings and shows it among the pictures; one on another then compares the two.

    Gives the event of the click.
    """
    before = gr.State()

    def chosen(
        selected: Selected, cells: list[tuple[str, str | None]] | None, settings: object, last: _Clicked | None
    ) -> list[Any]:
        paths = [cell[0] for cell in cells or []]
        path, number = selected.of([(path, number) for number, path in enumerate(paths)])
        sheet = settings if isinstance(settings, dict) else {}
        taken = cell_settings(sheet, number)
        restored = filling.restored(taken)
        if not path or "seed" not in restored.values:
            raise DemoError(NO_LONGER_THERE)
        shown = [[path], restored.values["seed"], taken, describe(taken)]
        pair: list[Any] = [gr.skip(), gr.skip()]
        told = hashlib.sha256(json.dumps(sheet, sort_keys=True).encode()).hexdigest()
        if last and last[1] == told and last[0] != number and last[0] < len(paths):
            pair = [(paths[last[0]], path), [cell_settings(sheet, last[0]), taken]]
        return [*filling.updates(restored), *shown, *pair, (number, told)]

    outputs = [*filling.outputs, *results.outputs, comparison.slider, comparison.settings, before]
    return view.gallery.select(chosen, [view.gallery, view.settings, before], outputs, queue=False, **PRIVATE)


def opened(path: str, settings: dict[str, Any], filling: Filling) -> list[Any]:
    """Updates of `opened_outputs` that show the sheet in a file again. DemoError where it is damaged."""
    form = filling.restored(settings).tab.form
    cells = cells_in(path, settings)
    labels = titles([_titles(form, told) for told in checked_axes(settings)])
    status = f"{len(cells)} pictures, from {Path(path).name:.80}. {CLICKS}"
    return [gr.Column(visible=True), list(zip(cells, labels, strict=True)), status, path, settings]


def opened_outputs(view: SheetView) -> list[Any]:
    """What `opened` updates."""
    return [view.place, view.gallery, view.status, view.file, view.settings]


def _titles(form: Form, told: dict[str, Any]) -> list[str]:
    field = fields_of(form.request).get(told["name"])
    return [axis.title(field, value, form.family) if field else f"{told['name']} {value}" for value in told["values"]]
