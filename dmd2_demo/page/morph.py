"""From the left of two compared pictures to the right one: a slider through what lies between, and a file of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.events import Dependency

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.morph import FRAMES, Morph, save, steps_of
from dmd2_demo.generate.requests import TextToImage
from dmd2_demo.page.events import ON_DEVICE, PRIVATE
from dmd2_demo.page.filling import Filling, settings_of
from dmd2_demo.page.runner import Runner

Outputs = tuple[list[str], str, dict[str, Any], str | None, str]

_SHOW = "(number, frames) => frames?.[Math.min(number, frames.length) - 1]?.image ?? null"


@dataclass(frozen=True)
class MorphView:
    """`make` is the button; the rest is seen where there is something to see. `frames` are all pictures in order."""

    make: gr.Button
    place: gr.Column
    shown: gr.Image
    scrubber: gr.Slider
    file: gr.DownloadButton
    status: gr.Markdown
    frames: gr.Gallery


def view(*, offered: bool) -> MorphView:
    """Lays it out. Not `offered`, it is never seen: many pictures follow a click on it."""
    make = gr.Button("Morph at one step", size="sm", visible=offered)
    with gr.Column(visible=False, elem_id="morph") as place:
        shown = gr.Image(
            label="Between the two",
            show_label=False,
            interactive=False,
            format="png",
            elem_id="morph-picture",
            buttons=["download"],
        )
        scrubber = gr.Slider(1, FRAMES, value=1, step=1, label="From left to right", buttons=[])
        status = gr.Markdown(elem_classes="status")
        file = gr.DownloadButton("Download as a looping WebP", size="sm")
        frames = gr.Gallery(visible=False, format="png", type="filepath")
    return MorphView(make, place, shown, scrubber, file, status, frames)


def connect(view: MorphView, pair: gr.JSON, filling: Filling, runner: Runner) -> Dependency:
    """Connects it with the settings of the two compared pictures. Gives the event that makes what lies between."""

    def make(
        settings: object,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),
    ) -> Iterator[Outputs]:
        match settings:
            case [dict() as left, dict() as right]:
                morph = Morph.of(_asked(left, filling), _asked(right, filling))
            case _:
                raise DemoError("Compare two pictures first.")
        with runner.running(request, progress) as run:
            paths: dict[float, str] = {}
            for pictures in morph.make(runner.studio, run.report, run.cancelled, run.visitor):
                for picture in pictures:
                    share = picture.parameters["morph"]["share"]
                    paths[share] = paths.get(share) or str(picture.save(run.folder))
                frames = [paths[share] for share in sorted(paths)]
                scrubber = gr.update(maximum=max(len(frames), 2), value=1)  # a slider has at least two places
                yield frames, frames[0], scrubber, None, ""
            file, widest = str(save(pictures, run.folder)), max(steps_of(pictures))
            status = f"{len(frames)} pictures; the widest step between two of them is {widest:.0f} of 255."
            yield frames, frames[0], scrubber, file, status

    view.make.click(lambda: gr.Column(visible=True), None, view.place, queue=False, **PRIVATE)
    view.scrubber.change(None, [view.scrubber, view.frames], view.shown, js=_SHOW, **PRIVATE)
    made = view.make.click(
        make,
        pair,
        [view.frames, view.shown, view.scrubber, view.file, view.status],
        show_progress_on=view.shown,
        api_visibility="private",
        **ON_DEVICE,
    )
    # What lies between two is nothing of the next two, also where it is still being made.
    pair.change(None, cancels=[made], queue=False, **PRIVATE)
    pair.change(
        lambda: [gr.Column(visible=False), None, None, None, ""],
        None,
        [view.place, view.frames, view.shown, view.file, view.status],
        queue=False,
        **PRIVATE,
    )
    return made


def _asked(settings: object, filling: Filling) -> TextToImage:
    """The one-step picture of those settings, which a browser sent."""
    told = settings_of(settings)
    if told.get("task", TextToImage.task) != TextToImage.task:
        raise DemoError("Only pictures of text to image can be blended into each other.")
    request = filling.request({**told, "steps": 1})
    assert isinstance(request, TextToImage)
    return request
