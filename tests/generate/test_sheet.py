from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from PIL import Image

from dmd2_demo.errors import Cancelled, DemoError
from dmd2_demo.generate import axis
from dmd2_demo.generate.axis import Axis
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.sheet import MOST_CELLS, Sheet, cell_settings, request_settings
from dmd2_demo.generate.sheet_picture import Layout, described
from dmd2_demo.generate.studio import Studio
from dmd2_demo.models.parts import PipelineSpec
from dmd2_demo.progress import Progress, Report, silent
from tests.embedded import FAMILY, canny, lora, text
from tests.fakes import SIZES, FakeBackend, FakePipeline


def along(request: Request, name: str, values: str) -> Axis:
    return axis.read(type(request), name, values, FAMILY, MOST_CELLS, lambda value: value)


def sheet(request: Request, *axes: tuple[str, str]) -> Sheet:
    return Sheet.of(request, [along(request, *one) for one in axes], MOST_CELLS)


def studio(backend: FakeBackend, budget: int | None = None) -> Studio:
    manager = backend.manager(budget=budget)

    @contextmanager
    def lease(
        spec: PipelineSpec, report: Report, visitor: str = "", pixels: int = 0, *, yields: bool = False
    ) -> Iterator[FakePipeline]:
        with manager.lease(spec, report, visitor, pixels, yields=yields):
            yield FakePipeline()

    return Studio(FAMILY, lease)


def test_cells_are_the_request_with_each_combination_and_one_seed() -> None:
    made = sheet(text(seed=-1, images=3), ("steps", "1, 4"), ("seed", "5, 6"))
    assert [(cell.seed, len(cell.schedule)) for cell in made.cells] == [(5, 1), (5, 4), (6, 1), (6, 4)]
    assert all(cell.images == 1 for cell in made.cells)
    assert made.titles == ["Steps 1 · Seed 5", "Steps 4 · Seed 5", "Steps 1 · Seed 6", "Steps 4 · Seed 6"]
    same = sheet(text(seed=-1), ("steps", "1, 4"))
    assert len({cell.seed for cell in same.cells}) == 1


def test_order_has_each_spec_and_each_scale_in_one_piece() -> None:
    bases = ", ".join(base.name for base in FAMILY.bases)
    made = sheet(lora(), ("base", bases), ("lora_scale", "0, 1"))
    cells = [made.cells[number] for number in made.order]
    assert sorted(made.order) == list(range(len(made.cells)))
    pairs = [(cell.spec(), cell.lora_scales()) for cell in cells]
    assert len({spec for spec, _ in pairs}) == len(FAMILY.bases)
    changes = sum(before[0] != after[0] for before, after in pairwise(pairs))
    assert changes == len(FAMILY.bases) - 1
    assert made.order == [0, len(FAMILY.bases), 1, 1 + len(FAMILY.bases), 2, 2 + len(FAMILY.bases)][: len(made.order)]


def test_parts_are_loaded_once_although_two_unets_have_no_room() -> None:
    backend = FakeBackend()
    made = sheet(text(), ("steps", "1, 4"), ("seed", "1-3"))
    one = sum(SIZES[type(part)] for part in made.cells[0].spec().parts())
    numbers = [number for number, _ in made.make(studio(backend, one), silent, lambda: False)]
    assert numbers == made.order == [0, 2, 4, 1, 3, 5]
    loaded = backend.loaded()
    assert len(loaded) == len(set(loaded))


def test_progress_is_the_sheets_and_stop_ends_it() -> None:
    told: list[Progress] = []
    made = sheet(text(), ("seed", "1-4"))
    stopped = False

    def cancelled() -> bool:
        return stopped

    cells = made.make(studio(FakeBackend()), told.append, cancelled)
    next(cells)
    next(cells)
    stopped = True
    with pytest.raises(Cancelled):
        next(cells)
    fractions = [one.fraction for one in told]
    assert fractions == sorted(fractions, key=lambda one: one or 0)
    assert told[-1].sentence.startswith("Cell 2 of 4: Step 4 of 4")


def test_choices_in_braces_are_an_axis() -> None:
    made = sheet(text(prompt="a {cat|dog}"), ("seed", "1, 2"))
    assert [(cell.prompt, cell.seed) for cell in made.cells] == [
        *[("a cat", 1), ("a cat", 2)],
        *[("a dog", 1), ("a dog", 2)],
    ]
    assert made.titles[-1] == "Seed 2 · a dog"
    assert [cell.prompt for cell in sheet(text(prompt="a {cat|dog}")).cells] == ["a cat", "a dog"]
    with pytest.raises(DemoError, match="which are one of the two axes"):
        sheet(text(prompt="a {cat|dog}"), ("seed", "1, 2"), ("steps", "1, 4"))
    with pytest.raises(DemoError, match="Choose what the sheet varies"):
        sheet(text())


def test_a_sheet_and_its_cells_tell_the_prompt_that_the_choices_stand_in() -> None:
    template = "a {cat|dog} on (blue:1.2)"
    made = sheet(text(prompt=template, seed=4))
    settings = made.parameters() | {"sheet": {"axes": made.varied()}}
    assert (settings["prompt"], settings["prompt_template"]) == ("a cat on (blue:1.2)", template)
    assert request_settings(settings)["prompt"] == template
    for number, picture in made.make(studio(FakeBackend()), silent, lambda: False):
        of_cell = cell_settings(settings, number)
        assert of_cell["prompt"] == picture.parameters["prompt"] == made.cells[number].prompt
        assert of_cell["prompt_template"] == picture.parameters["prompt_template"] == template
        assert request_settings(of_cell)["prompt"] == of_cell["prompt"]


def test_styles_and_their_scales_are_axes_where_there_are_any() -> None:
    first, second = (style.name for style in FAMILY.styles[:2])
    made = sheet(text(), ("style", f"{first}, {second}"), ("style_scale", "0.5, 1"))
    assert [tuple(cell.parameters()[name] for name in ("style", "style_scale")) for cell in made.cells] == [
        *[(first, 0.5), (second, 0.5)],
        *[(first, 1), (second, 1)],
    ]
    assert made.titles[0] == f"Style {FAMILY.styles[0].title} · Style scale 0.5"
    assert made.varied()[0] == {"name": "style", "values": [first, second]}
    with pytest.raises(DemoError, match="Style 2 scale would change nothing, as the other settings are"):
        sheet(text(style=first), ("style_2_scale", "0.5, 1"))


def test_what_changes_nothing_is_no_axis() -> None:
    ready = canny(Image.new("RGB", (64, 64)), is_edge_map=True)
    with pytest.raises(DemoError, match="Low threshold would change nothing"):
        sheet(ready, ("low_threshold", "0, 100"))
    with pytest.raises(DemoError, match="Conditioning scale would change nothing"):
        sheet(replace(ready, guided_steps=0), ("conditioning_scale", "0.5, 1"))
    assert len(sheet(ready, ("guided_steps", "0, 2"), ("conditioning_scale", "0.5, 1")).cells) == 4


def test_a_sheet_that_begins_with_none_of_something_keeps_how_much_of_it_the_others_have() -> None:
    guided = sheet(canny(Image.new("RGB", (64, 64)), conditioning_scale=1.3), ("guided_steps", "0, 2"))
    told = guided.parameters() | {"sheet": {"axes": guided.varied()}}
    assert cell_settings(told, 1).items() >= {"guided_steps": 2, "conditioning_scale": 1.3}.items()
    styled = sheet(text(style_scale=0.7), ("style", FAMILY.styles[0].name))
    assert styled.parameters()["style_scale"] == 0.7


@pytest.mark.parametrize(
    ("axes", "sentence"),
    [
        ([("seed", "1, 2"), ("seed", "3")], "Both axes vary the same"),
        ([("seed", "1-50"), ("steps", "1, 4")], None),
        ([("seed", "1-51"), ("steps", "1, 4")], "a sheet of 102 cells; the most here is 100"),
    ],
)
def test_bounds(axes: list[tuple[str, str]], sentence: str | None) -> None:
    if sentence is None:
        assert len(sheet(text(), *axes).cells) == 100
        return
    with pytest.raises(DemoError, match=sentence):
        sheet(text(), *axes)


def settings_of(made: Sheet, layout: Layout) -> dict[str, Any]:
    return {**made.cells[0].parameters(), "sheet": described(layout.grid, made.varied())}


def test_a_cells_settings_come_from_the_sheets() -> None:
    made = sheet(text(), ("seed", "5-7"), ("steps", "1, 4"))
    told = settings_of(made, Layout.of((128, 128), [one.titles for one in made.axes]))
    for number, cell in enumerate(made.cells):
        own = cell_settings(told, number)
        assert own == {name: cell.parameters()[name] for name in own}
        assert {"seed", "steps", "prompt", "width", "height", "task"} <= set(own)
    for beyond in (-1, 6):
        with pytest.raises(DemoError, match="no longer there"):
            cell_settings(told, beyond)
