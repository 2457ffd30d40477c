"""Two pictures under one slider, with what differs in their settings below it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import Dependency

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.requests import TextToImage
from dmd2_demo.generate.tasks import LABELS
from dmd2_demo.page import morph
from dmd2_demo.page.events import ON_DEVICE, PRIVATE
from dmd2_demo.page.filling import Filling, settings_of
from dmd2_demo.page.morph import MorphView
from dmd2_demo.page.plain import as_table, plain
from dmd2_demo.page.results import Results
from dmd2_demo.page.runner import Runner

_NOT_TOLD = {"version", "family", "weights", "notices", "images"}

_MOVE = "(share) => ({ slider_position: share, __type__: 'update' })"

# Once there is one and it has its height.
_TO_COMPARISON = """() => requestAnimationFrame(() =>
  document.querySelector('#comparison')?.scrollIntoView({ block: 'nearest' }))"""


@dataclass(frozen=True)
class Comparison:
    """`settings` are those of the two, which the browser may set; `label` names them."""

    place: gr.Column
    label: gr.Markdown
    slider: gr.ImageSlider
    settings: gr.JSON
    table: gr.HTML
    morph: MorphView


def comparison(*, morphs: bool) -> Comparison:
    """Lays it out, unseen until there is something to compare, with a morph of the two where there are `morphs`."""
    with gr.Column(visible=False, elem_id="comparison") as place:
        label = gr.Markdown(elem_classes="status")
        slider = gr.ImageSlider(
            label="Compared", show_label=False, interactive=False, max_height=400, buttons=["fullscreen"]
        )
        # Gradio's own handle is for a mouse or a finger alone.
        by_keys = gr.Slider(0, 100, 50, step=1, label="Left to right", buttons=[])
        by_keys.change(None, by_keys, slider, js=_MOVE, **PRIVATE)
        table = gr.HTML(js_on_load=None)
        morphed = morph.view(offered=morphs)
    return Comparison(place, label, slider, gr.JSON(visible=False), table, morphed)


def connect(
    compared: Comparison, every_steps: gr.Button, results: Results, filling: Filling, runner: Runner
) -> Dependency:
    """Connects it, inside the page. Gives the event that makes the shown picture at all step counts."""
    counts = runner.studio.family.step_counts

    def tell(settings: object) -> list[Any]:
        match settings:
            case [dict() as left, dict() as right]:
                label = plain(f"Left: {_named(left)} · right: {_named(right)}"[:300])
                table = as_table(["Setting", "Left", "Right"], differences(left, right))
                return [gr.Column(visible=True), label, table]
        return [gr.Column(visible=False), gr.skip(), gr.skip()]

    def make(
        settings: object,
        settings_inside: object,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),
    ) -> Iterator[tuple[tuple[str, str], list[dict[str, Any]]]]:
        asked_of = settings_of(settings)
        if asked_of.get("task", TextToImage.task) != TextToImage.task:
            raise DemoError("Only text to image has more than one number of steps.")
        with tempfile.TemporaryDirectory(prefix="dmd2-") as folder:

            def made(steps: int) -> tuple[str, dict[str, Any]]:
                asked = runner.run(
                    lambda: filling.request({**asked_of, "steps": steps}, settings_inside=settings_inside),
                    request,
                    progress,
                )
                copied, told = Path(folder, str(steps)).with_suffix(".png"), list[dict[str, Any]]()
                for paths, _, parameters in asked:  # once: it is one picture
                    shutil.copy(paths[0], copied)
                    told.append(parameters)
                return str(copied), told[0]

            (first, fewest), (last, most) = made(counts[0]), made(counts[-1])
            yield (first, last), [fewest, most]

    told = [compared.place, compared.label, compared.table]
    shown = compared.settings.change(tell, compared.settings, told, queue=False, **PRIVATE)
    shown.success(None, js=_TO_COMPARISON, **PRIVATE)
    return every_steps.click(
        make,
        [results.parameters, filling.settings_inside],
        [compared.slider, compared.settings],
        show_progress_on=results.gallery,
        api_visibility="private",
        **ON_DEVICE,
    )


def differences(left: Mapping[str, Any], right: Mapping[str, Any]) -> list[list[str]]:
    """Label and both values of each setting that differs; those that only one has included."""
    names = [name for name in {**left, **right} if name not in _NOT_TOLD and left.get(name) != right.get(name)]
    rows = [[LABELS.get(name, name), *(_shown(told.get(name)) for told in (left, right))] for name in names]
    return rows or [["none", "", ""]]


def _shown(value: object) -> str:
    return "" if value is None else f"{value}"[:500]


def _named(settings: Mapping[str, Any]) -> str:
    steps = settings.get("steps")
    facts = [f"seed {settings.get('seed')}", f"{steps} step{'s' if steps != 1 else ''}"]
    if "seconds" in settings:
        facts.append(f"{settings['seconds']} s")
    return ", ".join(facts)
