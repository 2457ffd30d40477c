"""The controls that tabs share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import gcd
from typing import Any

import gradio as gr

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.requests import MOST_IMAGES
from dmd2_demo.models.family import Example, Sizes
from dmd2_demo.page.inputs import Number

_OWN_SIZE = "Own size"

# Events that only move things on the page: no spinner, not part of the API.
PRIVATE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class SeedControls:
    """A seed and whether to draw a new one each time."""

    seed: Number
    randomize: gr.Checkbox


@dataclass(frozen=True)
class SizeControls:
    """Width and height in pixels."""

    width: Number
    height: Number


@dataclass(frozen=True)
class Actions:
    """Generate and Stop."""

    generate: gr.Button
    stop: gr.Button


@dataclass(frozen=True)
class Results:
    """The pictures, a line about them, and their settings."""

    gallery: gr.Gallery
    status: gr.Markdown
    settings: gr.JSON


def prompt_box(example: Example) -> gr.Textbox:
    """Where the visitor writes; Enter generates, Shift+Enter starts a new line."""
    return gr.Textbox(label="Prompt", placeholder=example.prompt, lines=1, max_lines=8, autofocus=True)


def seed_row() -> tuple[SeedControls, Number]:
    """Seed, whether to draw a new one each time, and the number of pictures."""
    with gr.Row(equal_height=True):
        # Limits are checked by the request, which has better sentences than the component.
        seed = Number(0, label="Seed", precision=None, step=1, min_width=130, scale=3)
        images = Number(1, label="Pictures", precision=None, minimum=1, maximum=MOST_IMAGES, step=1, min_width=80)
    randomize = gr.Checkbox(True, label="New seed each time")
    return SeedControls(seed, randomize), images


def size_controls(sizes: Sizes) -> SizeControls:
    """Presets by aspect, and own numbers."""
    presets = {f"{_aspect(width, height)} · {width} × {height}": (width, height) for width, height in sizes.buckets}
    labels = {size: label for label, size in presets.items()}
    width, height = sizes.default
    preset = gr.Dropdown([*presets, _OWN_SIZE], value=labels[sizes.default], label="Size", min_width=160, scale=2)
    with gr.Row(visible=False) as own:
        limits: dict[str, Any] = {"step": sizes.grid, "precision": None, "min_width": 80}
        width_box = Number(width, label="Width", **limits)
        height_box = Number(height, label="Height", **limits)
        swap = gr.Button("Swap", size="sm", min_width=60)

    def choose(label: str) -> tuple[object, object, object]:
        if label == _OWN_SIZE:
            return gr.skip(), gr.skip(), gr.Row(visible=True)
        return *presets[label], gr.Row(visible=False)

    preset.input(choose, preset, [width_box, height_box, own], queue=False, **PRIVATE)
    boxes = [width_box, height_box]
    swap.click(None, boxes, boxes, js="(width, height) => [height, width]", **PRIVATE)
    return SizeControls(width_box, height_box)


def _aspect(width: int, height: int) -> str:
    shared = gcd(width, height)
    return f"{width // shared}:{height // shared}"


def examples(samples: Sequence[Sequence[object]], inputs: Sequence[gr.components.Component]) -> None:
    """Rows that fill `inputs` when they are clicked."""
    gr.Examples(
        [list(sample) for sample in samples],
        list(inputs),
        label="Examples",
        api_visibility="private",
        cache_examples=False,
    )


def actions() -> Actions:
    """Generate and Stop, side by side."""
    with gr.Row(elem_classes="actions"):
        generate = gr.Button("Generate", variant="primary", scale=3, min_width=140)
        stop = gr.Button("Stop", scale=1, min_width=80)
    return Actions(generate, stop)


def announcement(tell: Callable[..., str], inputs: Sequence[gr.components.Component]) -> None:
    """A line that says what the first picture will download, kept up with `inputs`; nothing where it won't."""
    line = gr.Markdown(visible=False, elem_classes="status")

    def told(*values: object) -> gr.Markdown:
        try:
            text = tell(*values)
        except DemoError:
            # What is wrong with a value is said where it is chosen.
            text = ""
        return gr.Markdown(text, visible=bool(text))

    # Without a trigger of its own it runs when the page opens and when an input changes.
    gr.on(None, told, list(inputs), line, queue=False, **PRIVATE)


def results() -> Results:
    """The right column."""
    gallery = gr.Gallery(
        label="Pictures",
        format="png",
        show_label=False,
        columns=2,
        height="auto",
        object_fit="contain",
        interactive=False,
        elem_classes="pictures",
        buttons=["download", "fullscreen"],
    )
    status = gr.Markdown(elem_classes="status")
    with gr.Accordion("Settings", open=False):
        settings = gr.JSON(label="Settings", show_label=False)
    return Results(gallery, status, settings)


def describe(settings: dict[str, object] | None) -> str:
    """The line under the pictures."""
    if not settings:
        return ""
    steps = settings["steps"]
    facts = (
        f"seed {settings['seed']}",
        f"{steps} step{'s' if steps != 1 else ''}",
        f"{settings['width']} × {settings['height']}",
        f"{settings['seconds']} s",
    )
    notices = settings["notices"]
    assert isinstance(notices, list)
    return "  \n".join([" · ".join(facts), *notices])


def on_generate(
    actions: Actions,
    prompt: gr.Textbox,
    make: Callable[..., object],
    inputs: Sequence[gr.components.Component],
    shown: Results,
    seed: SeedControls,
    stop: Callable[[gr.Request], None],
    api_name: str,
) -> gr.events.Dependency:
    """Connects a tab: Generate or Enter runs `make`, Stop ends it, also while it waits in the queue."""
    event: gr.events.Dependency = gr.on(
        [actions.generate.click, prompt.submit],
        make,
        inputs,
        [shown.gallery, seed.seed, shown.settings],
        api_name=api_name,
        show_progress_on=shown.gallery,
        # One device, one queue: all tabs wait in the same line.
        concurrency_id="device",
        concurrency_limit=1,
    )
    event.success(describe, shown.settings, shown.status, queue=False, **PRIVATE)
    actions.stop.click(stop, None, None, cancels=[event], queue=False, **PRIVATE)
    return event
