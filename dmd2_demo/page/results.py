"""The one place for pictures, a line about them, and what they were made with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from dmd2_demo.generate.metadata import reading
from dmd2_demo.page.plain import plain


@dataclass(frozen=True)
class Results:
    """The pictures, the first one's seed, a line about them, their parameters, and the place where those are shown."""

    gallery: gr.Gallery
    seed_used: gr.Number
    status: gr.Markdown
    parameters: gr.JSON
    details: gr.Accordion

    @property
    def made(self) -> list[Any]:
        """Those that what makes pictures gives."""
        return [self.gallery, self.seed_used, self.parameters]

    @property
    def outputs(self) -> list[Any]:
        """The same, and the line about them."""
        return [*self.made, self.status]

    def of_file(self, path: Path) -> list[Any]:
        """Updates of `outputs` that show a file of ours."""
        settings = dict(reading.read(path).settings)
        return [[str(path)], settings["seed"], settings, describe(settings)]

    def unchanged(self) -> list[Any]:
        """Updates of `outputs` that change nothing."""
        return [gr.skip() for _ in self.outputs]


def results(first: Path | None = None) -> Results:
    """Lays out the right column, with a file of ours in it to begin with."""
    settings = dict(reading.read(first).settings) if first else None
    gallery = gr.Gallery(
        [str(first)] if first else None,
        label="Pictures",
        format="png",
        type="filepath",
        show_label=False,
        columns=2,
        height="auto",
        object_fit="contain",
        interactive=False,
        elem_classes="pictures",
        buttons=["download", "fullscreen"],
    )
    seed_used = gr.Number(settings["seed"] if settings else None, label="Seed used", precision=0, visible=False)
    status = gr.Markdown(describe(settings), elem_classes="status")
    with gr.Accordion("Settings and sharing", open=False) as details:
        parameters = gr.JSON(settings, label="Settings", show_label=False)
    return Results(gallery, seed_used, status, parameters, details)


def describe(parameters: object) -> str:
    """The line under the pictures, as Markdown; "" for what are no picture's parameters."""
    match parameters:
        case {"seed": seed, "steps": steps, "width": width, "height": height, **more}:
            facts = [f"seed {seed}", _ran(steps, more), f"{width} × {height}"]
            if "seconds" in more:  # else it was made some other day
                facts.append(f"{more['seconds']} s")
            notices = more.get("notices", [])
            lines = [" · ".join(facts), *(notices if isinstance(notices, list) else [])]
            return "  \n".join(plain(str(line)) for line in lines)
    return ""


def _ran(steps: object, more: Mapping[Any, Any]) -> str:
    """The steps of a picture; of one that began at another, those that it ran."""
    timesteps = more.get("timesteps")
    if "strength" in more and isinstance(timesteps, list):
        return f"runs {len(timesteps)} of {steps} steps"
    return f"{steps} step{'s' if steps != 1 else ''}"
