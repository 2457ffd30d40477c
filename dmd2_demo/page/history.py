"""The strip of pictures made here, which the visitor's browser keeps, and what can be done with one of them.

What is done with the strip itself is done in the browser (scripts/history.js). What comes from it to the server is the
shown picture's settings, which are checked like any others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.events import Dependency

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.request import RANDOM_SEED, Request
from dmd2_demo.generate.requests import CannyGuided
from dmd2_demo.generate.upload import hash_of, open_picture
from dmd2_demo.models.family import Family
from dmd2_demo.page.compare import Comparison
from dmd2_demo.page.events import ON_DEVICE, PRIVATE
from dmd2_demo.page.filling import Filling, settings_of
from dmd2_demo.page.jobs import Outputs
from dmd2_demo.page.keys import PRESS_GENERATE
from dmd2_demo.page.results import Results, describe
from dmd2_demo.page.runner import Runner

_STRIP = '<div class="strip"><span role="status"></span><ul role="list" aria-label="History"></ul></div>'


@dataclass(frozen=True)
class History:
    """What is kept, the buttons of the shown picture, and the hidden ones that the browser presses by itself."""

    kept: gr.BrowserState
    use_all: gr.Button
    reuse: gr.Button
    vary: gr.Button
    edges: gr.Button
    compare: gr.Button
    every_steps: gr.Button
    delete: gr.Button
    download: gr.Button
    choose: gr.Button
    again: gr.Button
    hear: gr.Button


def strip(family: Family) -> History:
    """Lays out the strip; the buttons are seen where one of its pictures is chosen."""
    # Nothing in it is secret, and with a key that is drawn anew it would not outlive the server.
    kept = gr.BrowserState([], storage_key="dmd2-history", secret="dmd2-history")  # noqa: S106
    with gr.Column(elem_id="history", elem_classes="empty"):
        gr.HTML(_STRIP, js_on_load=None, padding=False)
        with gr.Row(elem_classes="actions-of-chosen"):
            titles = {
                "use_all": "Use settings",
                "reuse": "Use seed",
                "vary": "Another seed",
                "edges": "Edges from it",
                "compare": "Compare",
                "every_steps": f"{' and '.join(map(str, family.step_counts))} steps",
                "delete": "Delete",
                "download": "All as ZIP",
            }
            shown = {name: gr.Button(title, size="sm", min_width=115) for name, title in titles.items()}
        pressed = ("choose", "again", "hear")
        hidden = {name: gr.Button(name, elem_classes=f"of-history press-{name}") for name in pressed}
    return History(kept, **shown, **hidden)


def connect(
    page: gr.Blocks,
    history: History,
    results: Results,
    filling: Filling,
    comparison: Comparison,
    runner: Runner,
    made: Sequence[Dependency],
    others_shown: Sequence[Dependency],
) -> Dependency:
    """Connects the strip, inside the page, with what makes pictures. Gives the event that makes one again.

    `others_shown` are events after which the results show a picture that is none of the strip's.
    """
    kept, shown = history.kept, [results.gallery, results.parameters]
    for event in made:
        event.then(None, [*shown, kept], kept, js="window.dmd2.record", **PRIVATE)
    for event in others_shown:
        event.success(None, kept, None, js="(kept) => { window.dmd2.unchoose(kept); }", **PRIVATE)
    gr.on([page.load, kept.change], None, kept, None, js="(kept) => { window.dmd2.render(kept); }", **PRIVATE)
    history.hear.click(None, None, kept, js="window.dmd2.hear", **PRIVATE)
    pair = [comparison.settings, comparison.slider]
    chosen = history.choose.click(None, kept, [*results.made, *pair], js="window.dmd2.choose", **PRIVATE)
    chosen.then(describe, results.parameters, results.status, queue=False, **PRIVATE)

    def use(settings: object, picture: str | None, *, seed: bool) -> list[Any]:
        told = settings_of(settings)
        restored = filling.restored(told if seed else {**told, "seed": RANDOM_SEED})
        if not restored.missing or _is_input_of(told, picture):
            return filling.updates(restored)
        gr.Warning(restored.missing, title="Not all can be taken over")
        return filling.updates(restored, image=None)

    def make_again(
        settings: object,
        file_format: object,
        settings_inside: object,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),
    ) -> Iterator[Outputs]:
        def build() -> Request:
            return filling.request(settings_of(settings), file_format=file_format, settings_inside=settings_inside)

        yield from runner.run(build, request, progress)

    every = [results.parameters, filling.picture], filling.outputs
    # Through the queue, without which Gradio shows no warning.
    queued: dict[str, Any] = {"concurrency_limit": None, **PRIVATE}
    history.use_all.click(lambda told, picture: use(told, picture, seed=True), *every, **queued)
    history.reuse.click(None, results.seed_used, filling.seed, js=f"(used) => used ?? {RANDOM_SEED}", **PRIVATE)
    varied = history.vary.click(lambda told, picture: use(told, picture, seed=False), *every, **queued)
    varied.success(None, [results.parameters, filling.picture], None, js=_PRESS_WHERE_WHOLE, **PRIVATE)
    history.edges.click(None, results.gallery, filling.place, js=_GIVE_EDGES, **PRIVATE)
    history.compare.click(None, kept, None, js="(kept) => { window.dmd2.startPair(kept); }", **PRIVATE)
    history.delete.click(None, kept, kept, js="window.dmd2.remove", **PRIVATE)
    history.download.click(None, kept, None, js="async (kept) => { await window.dmd2.download(kept); }", **PRIVATE)
    again = history.again.click(
        make_again,
        [results.parameters, filling.file_format, filling.settings_inside],
        results.made,
        js="window.dmd2.startAgain",
        show_progress_on=results.gallery,
        api_visibility="private",
        **ON_DEVICE,
    )
    again.success(None, [*shown, kept], kept, js="window.dmd2.madeAgain", **PRIVATE)
    again.success(describe, results.parameters, results.status, queue=False, **PRIVATE)
    return again


def _is_input_of(settings: Mapping[str, Any], picture: str | None) -> bool:
    """Whether that file is the picture that the one with these settings was made from."""
    try:
        return hash_of(open_picture(picture)) == settings.get("image_sha256")
    except DemoError:
        return False


_PRESS_WHERE_WHOLE = f"(told, picture) => {{ if (picture || !told?.image_sha256) ({PRESS_GENERATE})(); }}"
_GIVE_EDGES = f"""(gallery) => {{
  window.dmd2Files.giveUrl('#picture', gallery[window.dmd2Opened()].image.url);
  return {{ selected: '{CannyGuided.task}', __type__: 'update' }};
}}"""
