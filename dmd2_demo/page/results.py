"""The one place for pictures, a line about them, and what they were made with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr


@dataclass(frozen=True)
class Results:
    """The pictures, the first one's seed, a line about them, and their parameters."""

    gallery: gr.Gallery
    seed_used: gr.Number
    status: gr.Markdown
    parameters: gr.JSON


def results() -> Results:
    """Lays out the right column."""
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
    seed_used = gr.Number(label="Seed used", precision=0, visible=False)
    status = gr.Markdown(elem_classes="status")
    with gr.Accordion("Settings", open=False):
        parameters = gr.JSON(label="Settings", show_label=False)
    return Results(gallery, seed_used, status, parameters)


def describe(parameters: dict[str, Any] | None) -> str:
    """The line under the pictures."""
    if not parameters:
        return ""
    steps = parameters["steps"]
    facts = (
        f"seed {parameters['seed']}",
        f"{steps} step{'s' if steps != 1 else ''}",
        f"{parameters['width']} × {parameters['height']}",
        f"{parameters['seconds']} s",
    )
    return "  \n".join([" · ".join(facts), *parameters["notices"]])
