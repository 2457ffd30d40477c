"""What every tab has: a form, a word about downloads, examples, and the event that makes its pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.events import Dependency

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.styled import SLOTS
from dmd2_demo.models.family import Example, Family
from dmd2_demo.page.context import PageContext
from dmd2_demo.page.events import ON_DEVICE, PRIVATE
from dmd2_demo.page.form import Convert, Form
from dmd2_demo.page.jobs import Outputs
from dmd2_demo.page.results import Results
from dmd2_demo.page.runner import Runner
from dmd2_demo.page.shared import Shared

# What decides which files a request needs.
_FILES = {"steps", "base", "tiny_vae", *SLOTS}
# Of the rest these cost nothing.
_WITHOUT_COST = {"seed", "image", "low_threshold", "high_threshold", "is_edge_map", "conditioning_scale"}
# Nor do these make one picture costlier than another.
_OF_ALL_PICTURES = {"prompt", "images", "lora_scale", "file_format", "settings_inside"}


@dataclass(frozen=True)
class TabContext:
    """What a tab stands on."""

    runner: Runner
    page: PageContext
    shared: Shared
    results: Results

    @property
    def family(self) -> Family:
        return self.runner.studio.family

    def form(self, request: type[Request], **convert: Convert) -> Form:
        """The tab's form, which has the shared components already."""
        styles = dict.fromkeys(SLOTS, self.shared.find_style)
        return Form(request, self.family, self.shared.fields, **(styles | convert))


@dataclass(frozen=True)
class Tab:
    """A tab that is laid out.

    `complete` adds what follows from some of its fields' values where it is missing; `beside` is what it shows beside
    the picture to start from.
    """

    tab: gr.Tab
    form: Form
    examples: Sequence[Example]
    complete: Callable[[dict[str, Any]], dict[str, Any]] = dict
    beside: gr.Column | None = None


def tab_of(tabs: Sequence[Tab], task: object) -> Tab:
    """The one of that task. DemoError where there is none."""
    for tab in tabs:
        if tab.form.request.task == task:
            return tab
    raise DemoError(f"There is no tab called {task!r:.60} here.")


def opened(title: str, request: type[Request]) -> gr.Tab:
    """Where the controls are laid out that one class of requests has alone."""
    return gr.Tab(title, id=request.task)


def announcement(tell: Callable[..., str], inputs: Sequence[Any]) -> Callable[[Callable[..., Any]], None]:
    """A line that tells what a request will take, kept up with `inputs`; nothing where that is nothing.

    Gives a function that keeps it up with an event, too, which is given as what listens to it.
    """
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

    def keep_up(listen: Callable[..., Any]) -> None:
        listen(told, list(inputs), line, queue=False, **PRIVATE)

    return keep_up


def show_what_applies(tabs: Sequence[Tab], groups: Sequence[gr.Column], shared: Shared) -> None:
    """Hides what does not belong to the open tab: other tabs' `groups`, one a tab, and what it does not take."""
    owned = [*zip(tabs, groups, strict=True), *((tab, tab.beside) for tab in tabs if tab.beside)]
    for tab in tabs:
        shown = [owner is tab for owner, _ in owned]
        shown += [name in tab.form.components for name in ("width", "image")]
        outputs = [*(block for _, block in owned), shared.size.group, shared.picture.row]
        # In the browser: whoever clicks at once clicks what this tab has.
        updates = json.dumps([gr.update(visible=visible) for visible in shown])
        tab.tab.select(None, None, outputs, js=f"() => {updates}", **PRIVATE)


def on_generate(context: TabContext, tab: Tab) -> Dependency:
    """The event, and endpoint, that makes the pictures of a tab. A hidden button within it triggers it; see keys.py."""
    runner, form, shown = context.runner, tab.form, context.results

    def generate(
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),
        **values: Any,
    ) -> Iterator[Outputs]:
        yield from runner.run(lambda: form.build(values), request, progress)

    generate.__name__ = form.request.task  # what MCP calls the tool
    quota, cost = context.page.quota, context.page.cost
    costly = form.components.keys() - _WITHOUT_COST
    with tab.tab:
        announcement(*_of_request(form, lambda request: context.page.downloads(request.spec()), _FILES))
        if quota is not None:
            announcement(*_of_request(form, lambda request: _seconds_told(quota(request)), costly))
        keep_up = announcement(*_of_request(form, cost, costly - _OF_ALL_PICTURES)) if cost is not None else None
        trigger = gr.Button("Generate", elem_classes="trigger")
    event = trigger.click(
        generate,
        None,
        shown.made,
        inputs_kwargs=form.components,
        api_name=form.request.task,
        api_description=_described(form.request, context.family),
        show_progress_on=shown.gallery,
        **ON_DEVICE,
    )
    if keep_up is not None:
        keep_up(event.success)
        keep_up(tab.tab.select)  # pictures of other tabs tell of time as well
    return event


def _described(request: type[Request], family: Family) -> str:
    """What the endpoint does, for programs."""
    what = " ".join((request.__doc__ or "").split())
    return (
        f"Makes pictures ({family.title}: {family.about}). {what} Gives the pictures, the seed that the first "
        "was made from, and all settings, with which it can be made again."
    )


def _of_request(
    form: Form, about: Callable[[Request], str], decide: AbstractSet[str]
) -> tuple[Callable[..., str], list[Any]]:
    """What tells something about the form's request, and the components that `decide` it."""
    deciding = [name for name in form.components if name in decide]

    def tell(*values: object) -> str:
        given = dict(zip(deciding, values, strict=True))
        if not given.get("prompt", "any"):  # nothing is written yet
            del given["prompt"]
        return about(form.blank(given))

    return tell, [form.components[name] for name in deciding]


def _seconds_told(seconds: int) -> str:
    return f"This asks ZeroGPU for {seconds} s, by an estimate; what it does not use is not counted."
