"""Pictures while one types: a switch beside the prompt, and a picture that follows every change."""

from __future__ import annotations

import base64
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
from gradio.events import Dependency
from PIL import Image

from dmd2_demo.errors import Cancelled, DemoError
from dmd2_demo.generate.image_to_image import ImageToImage
from dmd2_demo.generate.request import LARGEST_SEED, RANDOM_SEED, Request
from dmd2_demo.generate.requests import TextToImage
from dmd2_demo.models.family import Family
from dmd2_demo.page.context import PageContext
from dmd2_demo.page.events import ON_DEVICE, PRIVATE
from dmd2_demo.page.jobs import Outputs
from dmd2_demo.page.last_live import FORGOTTEN, LastLive
from dmd2_demo.page.plain import plain
from dmd2_demo.page.results import describe
from dmd2_demo.page.tabs import Tab, TabContext, tab_of

SLOWEST = 2.0
"""Seconds of a picture above which there is no live."""

_FINISHED = 0.5
"""Strength at which a picture of one step is finished: what is in it stays where it is."""

# What is forgotten may still be shown.
_NOTHING_KEPT = (
    f"There is no live picture, or it is older than {FORGOTTEN / 60:g} minutes. Change something to make one."
)

_DRAWN = f"Math.floor(Math.random() * {LARGEST_SEED + 1})"
_IS_ON = "document.querySelector('#live input')?.checked"
# What changed is in Gradio's hands only after its event: the press comes a moment later.
_FOLLOW = f"() => {{ if ({_IS_ON}) setTimeout(() => document.querySelector('button.live-trigger').click()); }}"
_PINNED = f"(seed) => {_IS_ON} && seed === {RANDOM_SEED} ? {_DRAWN} : seed"
_LISTEN = f"""() => document.addEventListener('keydown', (event) => {{
  // On a Mac it writes letters.
  const writes = /Mac|iPhone|iPad/.test(navigator.platform) && event.target.closest?.('input, textarea');
  if (event.altKey && event.code === 'KeyN' && !writes && {_IS_ON}) {{
    event.preventDefault(); document.querySelector('button.new-seed').click();
  }}
}})"""

# They change nothing that is seen.
_UNSEEN = {"images", "file_format", "settings_inside", "tiny_vae", "steps"}


@dataclass(frozen=True)
class View:
    """Where the live picture is shown, lines about it and about why there is none, and what can be done with it."""

    column: gr.Column
    picture: gr.HTML
    said: gr.Markdown
    why_not: gr.Markdown
    keep: gr.Button
    finish: gr.Button
    new_seed: gr.Button


def switch(context: PageContext) -> gr.Checkbox | None:
    """Lays out the switch; None where a picture takes too long."""
    if context.cost is not None:
        return None
    return gr.Checkbox(value=False, label="Live", elem_id="live", container=False)


def view(family: Family) -> View:
    """Lays out the place of the picture, hidden until the switch is on."""
    with gr.Column(visible=False) as column:
        picture = gr.HTML(elem_id="live-picture", padding=False)
        said = gr.Markdown(elem_classes="status")
        with gr.Row():
            keep = gr.Button("Keep", size="sm", min_width=80)
            finish = gr.Button(f"Finish in {family.most_steps} steps", size="sm", min_width=80)
            new_seed = gr.Button("New seed (Alt+N)", size="sm", min_width=80, elem_classes="new-seed")
    why_not = gr.Markdown(visible=False, elem_classes="status")
    return View(column, picture, said, why_not, keep, finish, new_seed)


def connect(
    page: gr.Blocks,
    context: TabContext,
    tabs: Sequence[Tab],
    open_task: gr.Textbox,
    switch: gr.Checkbox | None,
    view: View,
) -> list[Dependency]:
    """Connects them, inside the page, with whichever tab `open_task` says is open.

    Gives the events that make finished pictures.
    """
    if switch is None:
        return []
    last = LastLive()
    _follow(context, tabs, open_task, switch, view, last)
    changing = {id(one): one for tab in tabs for name, one in tab.form.components.items() if name not in _UNSEEN}
    triggers = [one.change for one in (*changing.values(), open_task, switch)]
    gr.on(triggers, None, None, None, js=_FOLLOW, **PRIVATE)
    seed = context.shared.fields["seed"]
    gr.on([switch.change, seed.change], None, seed, seed, js=_PINNED, **PRIVATE)  # type: ignore[attr-defined]
    view.new_seed.click(None, None, seed, js=f"() => {_DRAWN}", **PRIVATE)
    page.load(None, js=_LISTEN, **PRIVATE)
    quota = context.page.quota
    about = f"Each change asks ZeroGPU for {quota(TextToImage.blank(context.family))} s." if quota else ""

    def turned(on: object) -> tuple[Any, ...]:
        return gr.Column(visible=on is True), about, gr.Markdown(visible=False) if on is True else gr.skip()

    switch.change(turned, switch, [view.column, view.said, view.why_not], queue=False, **PRIVATE)
    return [_on(view.keep, _kept, context, last), _on(view.finish, _finished, context, last)]


def _follow(
    context: TabContext, tabs: Sequence[Tab], open_task: gr.Textbox, switch: gr.Checkbox, view: View, last: LastLive
) -> None:
    """The event that makes the live picture; while it runs, only the newest change is remembered.

    One for all tabs: else an older picture of one could come after a newer one of another, and take its place.
    """
    every = {id(one): one for tab in tabs for one in tab.form.components.values()}
    slow = Counter[object]()

    def follow(request: gr.Request, task: object, *values: object) -> list[Any]:
        given = dict(zip(every, values, strict=True))
        try:
            tab = tab_of(tabs, task)
            wanted = _live(tab, {name: given[id(one)] for name, one in tab.form.components.items()}, context)
            made = context.runner.preview(wanted, request)
        except Cancelled:
            raise
        except DemoError as error:  # an empty prompt, say: more is to come, and a message for each letter is too many
            return [gr.skip(), plain(str(error)), gr.skip(), gr.skip()]
        # A tab's first one may have been held up by what only the first one does.
        slow[task] = slow[task] + 1 if made.seconds > SLOWEST else 0
        if slow[task] > 1:
            told = f"A picture takes {made.seconds:.1f} s here: live is for those that take less than {SLOWEST:g} s."
            return [gr.skip(), gr.skip(), gr.Markdown(told, visible=True), gr.Checkbox(value=False)]
        last.keep(request.session_hash or "", wanted)
        told = describe({**made.parameters, "seconds": round(made.seconds, 3), "notices": list(made.notices)})
        return [_shown(made.image), told, gr.skip(), gr.skip()]

    gr.Button("Live", elem_classes="live-trigger").click(
        follow,
        [open_task, *every.values()],
        [view.picture, view.said, view.why_not, switch],
        trigger_mode="always_last",
        queue=False,
        **PRIVATE,
    )


def _live(tab: Tab, values: dict[str, Any], context: TabContext) -> Request:
    """What the tab asks for, as one picture that is made as fast as can be."""
    family = context.family
    fast: dict[str, Any] = {"images": 1, "tiny_vae": family.tiny_vae is not None}
    if tab.form.request is TextToImage:
        fast["steps"] = family.step_counts[0]
    return tab.form.build({**values, **fast}).alone(0)


def _shown(image: Image.Image) -> str:
    """The picture inside of the answer: no file, and no second way to the server."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=92, subsampling=0)
    data = base64.b64encode(file.getvalue()).decode()
    return f'<img alt="live picture" decoding="sync" src="data:image/jpeg;base64,{data}">'


Finish = Callable[[TabContext, Request, gr.Request], Request]


def _on(button: gr.Button, finish: Finish, context: TabContext, last: LastLive) -> Dependency:
    """The event that makes of the last live picture what `finish` asks for."""

    def make(
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),
    ) -> Iterator[Outputs]:
        def build() -> Request:
            live = last.of(request.session_hash or "")
            if live is None:
                raise DemoError(_NOTHING_KEPT)
            return finish(context, live, request)

        yield from context.runner.run(build, request, progress)

    shown = context.results
    return button.click(
        make,
        None,
        shown.made,
        api_visibility="private",
        show_progress_on=shown.gallery,
        **ON_DEVICE,
    )


def _kept(_context: TabContext, live: Request, _sender: gr.Request) -> Request:
    """The very picture, as a file with all its settings."""
    return live


def _finished(context: TabContext, live: Request, sender: gr.Request) -> Request:
    """What it was a sketch of: one that ran all its steps, through the large VAE; else at the end of four steps."""
    if not isinstance(live, TextToImage):
        return replace(live, tiny_vae=False)
    return ImageToImage(
        family=live.family,
        prompt=live.prompt,
        seed=live.seed,
        image=context.runner.preview(live, sender).image,
        strength=_FINISHED,
        file_format=live.file_format,
        settings_inside=live.settings_inside,
        plain_prompt=live.plain_prompt,
        **live.style_fields(),
    )
