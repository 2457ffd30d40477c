"""Settings into the page: each into the component that sets it, in the tab that they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from dmd2_demo.generate.requests import TextToImage
from dmd2_demo.generate.styled import without_styles
from dmd2_demo.page.shared import Shared
from dmd2_demo.page.tabs import Tab


@dataclass(frozen=True)
class Restored:
    """What the page can use of some settings: a tab's clean values by field, and a sentence for each that it can't."""

    tab: Tab
    values: Mapping[str, Any]
    notices: Sequence[str]


class Filling:
    """Knows every component that settings can go to."""

    def __init__(self, place: gr.Tabs, tabs: Sequence[Tab], shared: Shared) -> None:
        self._place, self._tabs, self._size = place, tabs, shared.size
        every: dict[int, Component] = {
            id(component): component for tab in tabs for component in tab.form.components.values()
        }
        self._components = list(every.values())
        self.outputs: list[Any] = [place, self._size.preset, self._size.own, *self._components]
        """What `updates` are for."""

    def restored(self, settings: Mapping[str, Any]) -> Restored:
        """Settings by fields' names, of any origin, as their tab can show them."""
        tasks = {tab.form.request.task: tab for tab in self._tabs}
        task = settings.get("task", TextToImage.task)
        tab = tasks.get(task) if isinstance(task, str) else None
        notices = [] if tab else [f"There is no tab called {task!r:.60} here."]
        tab = tab or tasks[TextToImage.task]
        values, more = tab.form.clean(without_styles(settings))
        if ("width" in values) != ("height" in values):
            values = {name: value for name, value in values.items() if name not in {"width", "height"}}
        return Restored(tab, tab.complete(values), [*notices, *more])

    def updates(self, restored: Restored, **more: Any) -> list[Any]:
        """One update for each of `outputs`. `more` are values for fields that no settings hold, such as a picture."""
        values = {**restored.values, **more}
        mine = {id(restored.tab.form.components[name]): value for name, value in values.items()}
        size = self._size.shown(values["width"], values["height"]) if "width" in values else (gr.skip(), gr.skip())
        return [
            gr.Tabs(selected=restored.tab.form.request.task),
            *size,
            *(gr.update(value=mine[id(one)]) if id(one) in mine else gr.skip() for one in self._components),
        ]
