"""The one place for pictures, a line about them, and what they were made with."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from dmd2_demo.page.plain import plain


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


def describe(parameters: object) -> str:
    """The line under the pictures, as Markdown; "" for what are no picture's parameters."""
    match parameters:
        case {
            "seed": seed,
            "steps": steps,
            "width": width,
            "height": height,
            "seconds": seconds,
            "notices": [*notices],
        }:
            told = f"{steps} step{'s' if steps != 1 else ''}"
            facts = f"seed {seed} · {told} · {width} × {height} · {seconds} s"
            return "  \n".join(plain(str(line)) for line in (facts, *notices))
    return ""
