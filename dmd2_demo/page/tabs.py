"""What every tab has: a form, a word about downloads, examples, and the event that makes its pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.events import Dependency

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.request import Request
from dmd2_demo.models.family import Example, Family
from dmd2_demo.page.context import PageContext
from dmd2_demo.page.events import ON_DEVICE, PRIVATE
from dmd2_demo.page.form import Convert, Form
from dmd2_demo.page.results import Results
from dmd2_demo.page.runner import Outputs, Runner
from dmd2_demo.page.shared import Shared

_WITHOUT_COST = {"seed", "image", "low_threshold", "high_threshold", "is_edge_map", "conditioning_scale"}


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
        return Form(request, self.family, self.shared.fields, **convert)


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


@contextmanager
def opened(title: str, request: type[Request]) -> Iterator[gr.Tab]:
    """Where the controls are laid out that one class of requests has alone."""
    with gr.Tab(title, id=request.task) as tab:
        yield tab


def announcement(tell: Callable[..., str], inputs: Sequence[Any]) -> None:
    """A line that tells what a request will take, kept up with `inputs`; nothing where that is nothing."""
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


def show_what_applies(tabs: Sequence[Tab], groups: Sequence[gr.Column], shared: Shared) -> None:
    """Hides what does not belong to the open tab: other tabs' `groups`, one a tab, and what it does not take."""
    owned = [*zip(tabs, groups, strict=True), *((tab, tab.beside) for tab in tabs if tab.beside)]
    for tab in tabs:
        shown = [owner is tab for owner, _ in owned]
        shown += [name in tab.form.components for name in ("width", "image")]
        updates = [gr.update(visible=visible) for visible in shown]
        outputs = [*(block for _, block in owned), shared.size.group, shared.picture.row]
        tab.tab.select(lambda updates=updates: updates, None, outputs, queue=False, **PRIVATE)


def on_generate(context: TabContext, tab: Tab) -> Dependency:
    """The event, and endpoint, that makes the pictures of a tab. A hidden button within it triggers it; see keys.py."""
    runner, form, shown = context.runner, tab.form, context.results

    def generate(
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - how Gradio finds it
        **values: Any,
    ) -> Iterator[Outputs]:
        yield from runner.run(lambda: form.build(values), request.session_hash, progress)

    quota = context.page.quota
    with tab.tab:
        if quota is not None:
            announcement(*_quota(form, quota))
        trigger = gr.Button("Generate", elem_classes="trigger")
    return trigger.click(
        generate,
        None,
        [shown.gallery, shown.seed_used, shown.parameters],
        inputs_kwargs=form.components,
        api_name=form.request.task,
        api_description=form.request.__doc__,
        show_progress_on=shown.gallery,
        **ON_DEVICE,
    )


def _quota(form: Form, quota: Callable[[Request], int]) -> tuple[Callable[..., str], list[Any]]:
    """What tells the seconds that the form's request asks for, and the components that decide it."""
    deciding = [name for name in form.components if name not in _WITHOUT_COST]

    def tell(*values: object) -> str:
        given = dict(zip(deciding, values, strict=True))
        if not given["prompt"]:  # nothing is written yet
            del given["prompt"]
        seconds = quota(form.blank(given))
        return f"This asks ZeroGPU for {seconds} s; what it does not use is not counted."

    return tell, [form.components[name] for name in deciding]
