"""A contact sheet: one request with one or two of its settings varied, a picture for each combination."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.axis import Axis
from dmd2_demo.generate.fields import fields_of
from dmd2_demo.generate.picture import Picture
from dmd2_demo.generate.prompt import weights
from dmd2_demo.generate.request import Request, as_json
from dmd2_demo.generate.studio import Studio
from dmd2_demo.progress import Report, part_of

MOST_CELLS = 100
"""Of any sheet, on whatever device."""

DAMAGED = "What that picture says of itself as a contact sheet is damaged."

_OF_ANOTHER = {
    "sheet",
    "prompt_understood",
    "model",
    "lora",
    "styles",
    "timesteps",
    "weights",
    "cells",
    "seconds",
    "notices",
}
"""What a sheet's settings tell of its first cell, or of all."""

Told = dict[str, Any]


@dataclass(frozen=True)
class Sheet:
    """`axes` are what varies from left to right and, where there are two, from top to bottom.

    `cells` are in reading order; but for the axes' fields all are the same request, the seed included. `template` is
    the prompt whose choices are an axis; "" where there are none.
    """

    axes: tuple[Axis, ...]
    cells: tuple[Request, ...]
    template: str = ""

    @classmethod
    def of(cls, request: Request, axes: Sequence[Axis], most: int) -> Sheet:
        """The sheet of a request. Choices in its prompt's braces are an axis too.

        DemoError where a combination can't be made, or there are more than `most`.
        """
        template = request.prompt if len(request.prompts) > 1 else ""
        if template:
            axes = [*axes, Axis("prompt", request.prompts, tuple(map(weights.words, request.prompts)))]
        if not axes:
            raise DemoError("Choose what the sheet varies across.")
        if len(axes) > 2:
            raise DemoError(
                "The prompt has choices in braces, which are one of the two axes: set the other to Nothing."
            )
        names = [axis.name for axis in axes]
        if len(set(names)) < len(names):
            raise DemoError("Both axes vary the same setting. Choose another for one of them.")
        changes: list[dict[str, Any]] = [{}]
        for axis in reversed(axes):
            changes = [change | {axis.name: value} for change in changes for value in axis.values]
        if len(changes) > most:
            raise DemoError(f"That would be a sheet of {len(changes)} cells; the most here is {most}.")
        cells = tuple(replace(request, **(change | {"images": 1})) for change in changes)
        for axis in axes:
            if all(axis.name in cell.unused() for cell in cells):
                label = fields_of(type(request))[axis.name].label
                raise DemoError(f"{label} would change nothing, as the other settings are.")
        return cls(tuple(axes), cells, template)

    @property
    def order(self) -> list[int]:
        """The cells in the order to make them in: each part is loaded, and each LoRA scale merged, but once."""
        specs, scales = dict[object, int](), dict[object, int]()

        def places(number: int) -> tuple[int, int]:
            cell = self.cells[number]
            return (
                specs.setdefault(cell.spec(), len(specs)),
                scales.setdefault(cell.lora_scales(), len(scales)),
            )

        return sorted(range(len(self.cells)), key=places)

    @property
    def titles(self) -> list[str]:
        """What tells each cell from the others."""
        return titles([axis.titles for axis in self.axes])

    def parameters(self) -> Told:
        """What the whole was made with: its first cell's, what the others have besides, and the template."""
        told: Told = {}
        for cell in self.cells:  # where an axis begins with none of something, only later ones say how much of it
            told = cell.parameters() | told
        return self._of_template(told)

    def varied(self) -> list[Told]:
        """The axes as JSON has them."""
        return [{"name": axis.name, "values": [as_json(value) for value in axis.values]} for axis in self.axes]

    def make(
        self, studio: Studio, report: Report, cancelled: Callable[[], bool], visitor: str = ""
    ) -> Iterator[tuple[int, Picture]]:
        """Each cell's number and picture as soon as it is made; otherwise as Studio.generate."""
        for done, number in enumerate(self.order):
            tell = part_of(report, "Cell", done, len(self.cells))
            for picture in studio.generate(self.cells[number], tell, cancelled, visitor):
                yield number, replace(picture, parameters=self._of_template(picture.parameters))

    def _of_template(self, parameters: Told) -> Told:
        return parameters | ({"prompt_template": self.template} if self.template else {})


def titles(axes: Sequence[Sequence[str]]) -> list[str]:
    """What stands at each cell in reading order, of what stands at each axis' values."""
    across, down = axes[0], axes[1] if len(axes) > 1 else ("",)
    return [" · ".join(filter(None, (one, other))) for other in down for one in across]


def cell_settings(settings: Told, number: int) -> Told:
    """Of a sheet's settings, those of one cell, counted from 0 in reading order. DemoError where there is none."""
    across, *downs = checked_axes(settings)
    row, column = divmod(number, len(across["values"]))
    rows = len(downs[0]["values"]) if downs else 1
    if not 0 <= row < rows:
        raise DemoError("What was clicked is no longer there.")
    varied = {across["name"]: across["values"][column]} | {down["name"]: down["values"][row] for down in downs}
    return {name: value for name, value in settings.items() if name not in _OF_ANOTHER} | varied


def request_settings(settings: Told) -> Told:
    """Of any settings, those that make all that they tell of again: a sheet's prompt is the one with its choices."""
    template = settings.get("prompt_template") if "sheet" in settings else None
    return settings | ({"prompt": template} if template else {})


def checked_axes(settings: Told) -> list[Told]:
    """The axes in settings from anywhere. DemoError where they are none of a sheet's."""
    sheet = settings.get("sheet")
    axes = sheet.get("axes") if isinstance(sheet, dict) else None
    cells = 1
    if isinstance(axes, list) and 1 <= len(axes) <= 2:
        for axis in axes:
            values = axis.get("values") if isinstance(axis, dict) and isinstance(axis.get("name"), str) else None
            plain = isinstance(values, list) and all(isinstance(value, str | int | float) for value in values)
            cells *= len(values) if plain and isinstance(values, list) else 0
        if 1 <= cells <= MOST_CELLS:
            return axes
    raise DemoError(DAMAGED)
