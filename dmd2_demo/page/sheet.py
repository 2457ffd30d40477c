"""The contact sheet's controls, and the endpoint `/contact_sheet`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency
from PIL import Image

from dmd2_demo.errors import DemoError
from dmd2_demo.generate import axis
from dmd2_demo.generate.metadata import formats
from dmd2_demo.generate.picture import Picture
from dmd2_demo.generate.sheet import Sheet, checked_axes
from dmd2_demo.generate.sheet_picture import Layout, described
from dmd2_demo.page.events import ON_DEVICE, PRIVATE, on_other_choice
from dmd2_demo.page.inputs import Dropdown
from dmd2_demo.page.plain import plain
from dmd2_demo.page.runner import Run
from dmd2_demo.page.sheet_view import CLICKS, TO_SHEET, SheetView
from dmd2_demo.page.tabs import Tab, TabContext, tab_of

_NONE = "none"
_PAUSE = 0.2  # seconds between two looks at the cells so far
_PENDING = (128, 128, 128)

Outputs = tuple[list[tuple[str, str]], str | None, dict[str, Any]]
"""What the endpoint gives: the cells with their labels, the sheet as one file, and its settings."""


@dataclass(frozen=True)
class SheetControls:
    """What is varied, and what makes the sheet."""

    task: gr.Textbox
    x_axis: gr.Dropdown
    x_values: gr.Textbox
    y_axis: gr.Dropdown
    y_values: gr.Textbox
    make: gr.Button

    @property
    def axes(self) -> list[Any]:
        """The components that tell the axes."""
        return [self.x_axis, self.x_values, self.y_axis, self.y_values]

    def updates(self, settings: dict[str, Any], tab: Tab) -> list[Any]:
        """Updates of `axes` that show those of a sheet's settings; of others, none."""
        if "sheet" not in settings:
            return [gr.skip() for _ in self.axes]
        told = [
            (one["name"], ", ".join(map(str, one["values"])))
            for one in checked_axes(settings)
            if one["name"] in axis.axes_of(tab.form.request, tab.form.family)
        ]
        (x_name, x_values), (y_name, y_values) = [*told, (_NONE, ""), (_NONE, "")][:2]
        choices = _choices(tab)
        return [
            gr.Dropdown(choices, value=x_name),
            x_values,
            gr.Dropdown(choices, value=y_name),
            y_values,
        ]


def controls(tabs: Sequence[Tab], most: int) -> SheetControls:
    """Lays them out. They follow the open tab."""
    first = tabs[0]
    task = gr.Textbox(first.form.request.task, label="Task", visible=False)
    with gr.Accordion("Contact sheet", open=False):
        gr.Markdown(
            f"Varies one or two of the open tab's settings: a picture for each value, {most} at most.",
            elem_classes="status",
        )
        with gr.Row():
            x_axis = Dropdown(_choices(first), value="seed", label="Across", min_width=120)
            x_values = gr.Textbox("1-4", label="Values across", min_width=120, max_lines=1)
        with gr.Row():
            y_axis = Dropdown(_choices(first), value=_NONE, label="Down", min_width=120)
            y_values = gr.Textbox("", label="Values down", min_width=120, max_lines=1)
        gr.Markdown("Commas between values, or a range: 1-4, 0-1.5 (+0.5), 0-1 [5].", elem_classes="status")
        make = gr.Button("Make the sheet")
    laid_out = SheetControls(task, x_axis, x_values, y_axis, y_values, make)
    _follow(laid_out, tabs, most)
    return laid_out


def _follow(laid_out: SheetControls, tabs: Sequence[Tab], most: int) -> None:
    """Offers what the open tab has, and values for what is chosen."""
    known = {tab.form.request.task: tab for tab in tabs}

    def suggest(task: object, name: object) -> str:
        tab = known.get(task) if isinstance(task, str) else None
        if tab is None or not isinstance(name, str):
            return ""
        form = tab.form
        offered = axis.axes_of(form.request, form.family)
        return axis.suggested(form.request, name, form.family, most) if name in offered else ""

    for tab in tabs:

        def switched(x_name: str | None, y_name: str | None, tab: Tab = tab) -> list[Any]:
            choices = _choices(tab)
            names = [name for _, name in choices]
            x_kept, y_kept = x_name in names, y_name in names
            return [
                tab.form.request.task,
                gr.Dropdown(choices, value=x_name if x_kept else "seed"),
                gr.skip() if x_kept else "1-4",
                gr.Dropdown(choices, value=y_name if y_kept else _NONE),
                gr.skip() if y_kept else "",
            ]

        of_axes = [laid_out.x_axis, laid_out.y_axis]
        tab.tab.select(switched, of_axes, [laid_out.task, *laid_out.axes], queue=False, **PRIVATE)
    for name, values in ((laid_out.x_axis, laid_out.x_values), (laid_out.y_axis, laid_out.y_values)):
        on_other_choice(name, suggest, [laid_out.task, name], values)


def on_make(
    context: TabContext, tabs: Sequence[Tab], laid_out: SheetControls, view: SheetView, most: int
) -> Dependency:
    """The event, and endpoint, that makes the sheet of whichever tab is open."""
    fields: dict[str, Component] = {}
    for tab in tabs:
        fields |= {name: one for name, one in tab.form.components.items() if name not in fields and name != "images"}

    def planned(values: dict[str, Any]) -> Sheet:
        form, family = tab_of(tabs, values["task"]).form, context.family
        axes = [
            axis.read(form.request, name, text, family, most, partial(form.convert, str(name)))
            for name, text in ((values["x_axis"], values["x_values"]), (values["y_axis"], values["y_values"]))
            if name not in (None, "", _NONE)
        ]
        return Sheet.of(
            form.build({name: values[name] for name, one in form.components.items() if fields.get(name) is one}),
            axes,
            most,
        )

    def contact_sheet(
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),
        image: Any = None,  # by its default, only the tab that needs one asks for one
        **values: Any,
    ) -> Iterator[Outputs]:
        """One or two settings varied, and a picture for each value: all else, the seed too, stays the same."""
        with context.runner.running(request, progress) as run:
            yield from _made(context, planned({**values, "image": image}), run)

    axes = {"x_axis": laid_out.x_axis, "x_values": laid_out.x_values}
    axes |= {"y_axis": laid_out.y_axis, "y_values": laid_out.y_values}
    shown = laid_out.make.click(lambda: gr.Column(visible=True), None, view.place, queue=False, **PRIVATE)
    shown.then(None, js=TO_SHEET, **PRIVATE)
    made = laid_out.make.click(
        contact_sheet,
        None,
        [view.gallery, view.file, view.settings],
        inputs_kwargs={"task": laid_out.task, **axes, **fields},
        api_name="contact_sheet",
        api_description=contact_sheet.__doc__,
        show_progress_on=view.gallery,
        **ON_DEVICE,
    )
    made.success(told, view.settings, view.status, queue=False, **PRIVATE)
    return made


def told(settings: object) -> str:
    """The line under a sheet that was just made, as Markdown."""
    match settings:
        case {"cells": cells, "seconds": seconds, "notices": list(notices)}:
            lines = [f"{cells} pictures · {seconds} s. {CLICKS}", *notices]
            return "  \n".join(plain(str(line)) for line in lines)
    return ""


def _made(context: TabContext, sheet: Sheet, run: Run) -> Iterator[Outputs]:
    request, labels = sheet.cells[0], sheet.titles
    layout = Layout.of(request.size, [one.titles for one in sheet.axes])
    file_format = formats.named(request.file_format)
    if max(layout.size) > file_format.longest:
        raise DemoError(f"The sheet would be too large for {file_format.title}. Choose PNG or fewer values.")
    settings = {**sheet.parameters(), "sheet": described(layout.grid, sheet.varied())}
    if request.settings_inside:
        file_format.with_settings(settings)  # refused now rather than when all is made
    nothing = run.folder / "pending.png"
    Image.new("RGB", request.size, _PENDING).save(nothing)
    paths, images = [str(nothing)] * len(labels), [Image.new("RGB", (1, 1))] * len(labels)
    yield list(zip(paths, labels, strict=True)), None, settings
    shown, seconds = time.monotonic(), 0.0
    weights, notices = list[dict[str, str]](), dict[str, None]()
    for number, picture in sheet.make(context.runner.studio, run.report, run.cancelled, run.visitor):
        cell = sheet.cells[number]
        paths[number] = str(picture.save(run.folder, file_format, settings_inside=cell.settings_inside))
        images[number] = picture.image
        seconds += picture.seconds
        notices |= dict.fromkeys(picture.notices)
        weights += [one for one in picture.parameters["weights"] if one not in weights]
        if time.monotonic() - shown > _PAUSE:
            yield list(zip(paths, labels, strict=True)), None, settings
            shown = time.monotonic()
    settings["weights"] = weights
    whole = Picture(layout.draw(images), settings, seconds)
    path = whole.save(run.folder, file_format, settings_inside=request.settings_inside)
    yield (
        list(zip(paths, labels, strict=True)),
        str(path),
        settings
        | {
            "cells": len(paths),
            "seconds": round(seconds, 3),
            "notices": list(notices),
        },
    )


def _choices(tab: Tab) -> list[tuple[str, str]]:
    """What can be varied. Choices in the prompt's braces are varied without being chosen here."""
    return [
        ("Nothing", _NONE),
        *((field.label, name) for name, field in axis.axes_of(tab.form.request, tab.form.family).items()),
    ]
