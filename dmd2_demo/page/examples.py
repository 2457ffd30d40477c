"""Examples as pictures in a row: a click fills in the form and shows the picture with its settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.events import Dependency

from dmd2_demo.generate.metadata import reading
from dmd2_demo.models.family import Example
from dmd2_demo.page.events import PRIVATE
from dmd2_demo.page.filling import Filling
from dmd2_demo.page.results import Results
from dmd2_demo.page.selected import Selected
from dmd2_demo.page.tabs import Tab


@dataclass(frozen=True)
class ExampleRow:
    """The row of one tab's examples, where it has some."""

    tab: Tab
    group: gr.Column
    chosen: gr.Gallery | gr.Dataset | None


def row(tab: Tab, *, visible: bool) -> ExampleRow:
    """Lays out the row; of a family whose pictures are not shipped, its prompts."""
    with gr.Column(visible=visible) as group:
        if tab.examples:
            gr.Markdown("Examples", elem_classes="status")
        return ExampleRow(tab, group, _choices(tab.examples))


def _choices(examples: Sequence[Example]) -> gr.Gallery | gr.Dataset | None:
    if not examples:
        return None
    if all(example.picture for example in examples):
        return gr.Gallery(
            [(str(example.picture), example.prompt) for example in examples],
            label="Examples",
            show_label=False,
            columns=len(examples),
            height="auto",
            object_fit="cover",
            allow_preview=False,
            interactive=False,
            buttons=[],
            elem_classes="examples",
        )
    return gr.Dataset(
        components=[gr.Textbox(visible=False)],
        samples=[[example.prompt] for example in examples],
        label="Examples",
    )


def connect(rows: Sequence[ExampleRow], filling: Filling, results: Results) -> list[Dependency]:
    """Connects the rows with what they fill in. Gives the events that show a picture."""
    shown = list[Dependency]()
    for row in rows:
        if row.chosen is not None:

            def chosen(selected: Selected, row: ExampleRow = row) -> list[Any]:
                return filled(row.tab, selected.of(row.tab.examples), filling, results)

            outputs = [*filling.outputs, *results.outputs]
            event = row.chosen.select(chosen, None, outputs, queue=False, **PRIVATE)
            shown += [event] if isinstance(row.chosen, gr.Gallery) else []
    return shown


def filled(tab: Tab, example: Example, filling: Filling, results: Results) -> list[Any]:
    """Updates of the form and of the results. The seed stays: the next picture is another one."""
    settings = {"task": tab.form.request.task, "prompt": example.prompt, "base": example.base}
    if example.picture:
        settings = dict(reading.read(example.picture).settings)
    settings.pop("seed", None)
    image = {"image": str(example.image)} if example.image else {}
    updates = filling.updates(filling.restored({k: v for k, v in settings.items() if v is not None}), **image)
    return [*updates, *(results.of_file(example.picture) if example.picture else results.unchanged())]
