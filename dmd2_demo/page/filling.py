"""Settings into the page: each into the component that sets it, in the tab that they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.fields import Field, fields_of
from dmd2_demo.generate.request import FreelySized, Request
from dmd2_demo.generate.requests import TextToImage
from dmd2_demo.generate.styled import without_styles
from dmd2_demo.models.family import Family
from dmd2_demo.page.shared import Shared
from dmd2_demo.page.tabs import Tab


@dataclass(frozen=True)
class Restored:
    """What the page can use of some settings: a tab's clean values by field, and a sentence for each that it can't.

    `size` is the picture's, (width, height), where it is told, also of those whose size is no field.
    """

    tab: Tab
    values: Mapping[str, Any]
    notices: Sequence[str]
    size: tuple[int, int] | None = None

    @property
    def missing(self) -> str:
        """A sentence about the picture that theirs was made from, which no settings hold; "" where it was from none."""
        if "image" not in self.tab.form.components:
            return ""
        return (
            f"That picture was made from another, which is not kept. Choose it under {self.tab.tab.label}, "
            "take the settings over, and press Generate."
        )


def settings_of(told: object) -> dict[str, Any]:
    """What a browser sends for a picture's settings, which may be anything."""
    return {str(name): value for name, value in told.items()} if isinstance(told, dict) else {}


class Filling:
    """Knows every component that settings can go to."""

    def __init__(self, place: gr.Tabs, tabs: Sequence[Tab], shared: Shared, family: Family) -> None:
        self._tabs, self._size, self.family = tabs, shared.size, family
        every: dict[int, Component] = {
            id(component): component for tab in tabs for component in tab.form.components.values()
        }
        self._components = list(every.values())
        self.place, self.seed, self.picture = place, shared.fields["seed"], shared.fields["image"]
        self.file_format, self.settings_inside = shared.fields["file_format"], shared.fields["settings_inside"]
        self.outputs: list[Any] = [place, self._size.preset, self._size.own, *self._components]
        """What `updates` are for."""

    def fields(self, task: object) -> Mapping[str, Field]:
        """Those that settings of a task can have; text to image's for one that is none."""
        return fields_of(self._tab(task).form.request)

    def restored(self, settings: Mapping[str, Any]) -> Restored:
        """Settings by fields' names, of any origin, as their tab can show them."""
        task = settings.get("task", TextToImage.task)
        tab = self._tab(task)
        notices = [] if tab.form.request.task == task else [f"There is no tab called {task!r:.60} here."]
        match settings.get("morph"):
            case {"share": _}:
                notices.append("That picture lies between two others; these are the settings of the first of them.")
            case {"shares": _}:
                notices.append("That film leads from one picture to another; these are the settings of the first.")
        values, more = tab.form.clean({"plain_prompt": False, **without_styles(settings)})
        if ("width" in values) != ("height" in values):
            values = {name: value for name, value in values.items() if name not in {"width", "height"}}
        return Restored(tab, tab.complete(values), [*notices, *more], self._told_size(settings))

    def _tab(self, task: object) -> Tab:
        """The tab of that task; text to image where there is none."""
        tasks = {tab.form.request.task: tab for tab in self._tabs}
        return tasks.get(task if isinstance(task, str) else "", tasks[TextToImage.task])

    def _told_size(self, settings: Mapping[str, Any]) -> tuple[int, int] | None:
        checks = fields_of(FreelySized)
        try:
            width, height = (checks[name].check(settings[name], self.family) for name in ("width", "height"))
        except (KeyError, DemoError):
            return None
        return width, height

    def request(self, settings: Mapping[str, Any], **more: Any) -> Request:
        """The request for the picture that has these settings, of any origin. DemoError where it can't be made.

        `more` are values of fields that no settings hold: what its file is to be.
        """
        restored = self.restored(settings)
        for notice in restored.notices:
            raise DemoError(notice)
        if restored.missing:
            raise DemoError(restored.missing)
        return restored.tab.form.build({"prompt": "", **restored.values, **more})

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
