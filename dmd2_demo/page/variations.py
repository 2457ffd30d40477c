"""What can be made of the picture that is shown: the same with less or more made anew, or larger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.events import Dependency

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.image_to_image import ImageToImage
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.upload import open_picture
from dmd2_demo.page.events import ON_DEVICE
from dmd2_demo.page.jobs import Outputs
from dmd2_demo.page.tabs import TabContext


@dataclass(frozen=True)
class Variation:
    """A button, and what of image to image it means."""

    title: str
    strength: float
    upscale: float = 1.0


VARIATIONS = (
    Variation("Vary (subtle)", 0.25),
    Variation("Vary (strong)", 0.75),
    Variation("Refine 1.5x", 0.25, 1.5),
)

_OPENED = "(pictures, _, ...rest) => [pictures, window.dmd2Opened(), ...rest]"


def buttons(context: TabContext) -> list[Dependency]:
    """Lays out the buttons, inside the page. Gives the events that make their pictures."""
    opened = gr.Number(0, precision=None, visible=False)  # counted from 0; the browser tells it
    return [_button(variation, context, opened) for variation in VARIATIONS]


def _button(variation: Variation, context: TabContext, opened: gr.Number) -> Dependency:
    form = context.form(ImageToImage, image=open_picture)
    results = context.results

    def make(
        request: gr.Request,
        pictures: object,
        number: object,
        progress: gr.Progress = gr.Progress(),
        **values: Any,
    ) -> Iterator[Outputs]:
        def build() -> Request:
            given = {"image": _path(pictures, number), "strength": variation.strength, "upscale": variation.upscale}
            return form.build({**values, **given})

        yield from context.runner.run(build, request, progress)

    return gr.Button(variation.title, size="sm", min_width=100).click(
        make,
        None,
        results.made,
        inputs_kwargs={"pictures": results.gallery, "number": opened, **form.components},
        js=_OPENED,
        api_visibility="private",
        show_progress_on=results.gallery,
        **ON_DEVICE,
    )


def _path(pictures: object, number: object) -> str:
    """The file of that picture in what the gallery holds, which is what a browser sent."""
    if not isinstance(pictures, list) or not pictures:
        raise DemoError("There is no picture yet.")
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(pictures):
        number = 0
    path, _ = pictures[number]
    return str(path)
