"""Contact sheets by the endpoint: cells are the pictures that each would be alone, and the file tells all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from gradio_client import handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from dmd2_demo.generate.metadata import reading
from dmd2_demo.generate.sheet import cell_settings, request_settings
from dmd2_demo.generate.sheet_picture import cells_in
from tests.embedded import FAMILY
from tests.visitor import Visitor

PROMPT = "a fox on a blue background"
BASES = ", ".join(base.name for base in FAMILY.bases[:2])
SHEETS: dict[str, dict[str, Any]] = {
    "text_to_image": {"x_axis": "seed", "x_values": "7, 8", "y_axis": "steps", "y_values": "1, 4"},
    "lora": {"seed": 9, "x_axis": "base", "x_values": BASES, "y_axis": "lora_scale", "y_values": "0.5, 1"},
    "canny": {"seed": 9, "x_axis": "guided_steps", "x_values": "0, 4", "y_axis": "low_threshold", "y_values": "50,150"},
}


@dataclass(frozen=True)
class Answer:
    """What `/contact_sheet` gives."""

    cells: list[Path]
    labels: list[str]
    file: Path
    settings: dict[str, Any]


@pytest.fixture
def visitor(address: str, tmp_path: Path) -> Visitor:
    return Visitor(address, tmp_path)


def make(visitor: Visitor, task: str, **values: Any) -> Answer:
    image = {"image": handle_file(visitor.drawing)} if task == "canny" else {}
    asked = {"task": task, "prompt": PROMPT, **image, **values}
    cells, file, settings = visitor.client.predict(**asked, api_name="/contact_sheet")
    return Answer([Path(one["image"]) for one in cells], [one["caption"] for one in cells], Path(file), settings)


def pixels(path: Path) -> bytes:
    with Image.open(path) as image:
        return image.convert("RGB").tobytes()


@pytest.mark.parametrize("task", SHEETS)
def test_a_cell_is_the_picture_that_is_made_alone(visitor: Visitor, task: str) -> None:
    sheet = make(visitor, task, **SHEETS[task])
    assert len(sheet.cells) == len(set(sheet.labels)) == 4
    found = reading.read(sheet.file).settings
    inside = cells_in(sheet.file, dict(found))
    form = {"text_to_image": {"steps", "width", "height"}, "lora": {"base", "lora_scale", "width", "height"}}
    form["canny"] = {"low_threshold", "high_threshold", "conditioning_scale", "guided_steps"}
    for number, path in enumerate(sheet.cells):
        settings = cell_settings(dict(found), number)
        own = {name: settings[name] for name in ({"prompt", "seed"} | form[task])}
        alone = visitor.ask(f"/{task}", **own).pictures[0].convert("RGB").tobytes()
        assert pixels(path) == alone
        assert inside[number].tobytes() == alone
        # What a cell's own file says is the same, but for what does nothing in it.
        unused = {"conditioning_scale"} if own.get("guided_steps") == 0 else set()
        told = reading.read(path).settings
        assert {name: told[name] for name in own.keys() - unused} == {name: own[name] for name in own.keys() - unused}


def test_the_seed_is_one_and_drawn_but_once(visitor: Visitor) -> None:
    sheet = make(visitor, "text_to_image", x_axis="steps", x_values="1, 4")
    seeds = {reading.read(cell).settings["seed"] for cell in sheet.cells}
    assert seeds == {sheet.settings["seed"]}


def test_choices_and_styles_come_back_from_a_sheets_file(visitor: Visitor) -> None:
    template, (first, second) = "a {fox|cat}", (style.name for style in FAMILY.styles[:2])
    axes = {"x_axis": "style", "x_values": f"{first}, {second}"}
    sheet = make(visitor, "lora", **axes, prompt=template, seed=3, style_scale=1.0)
    found = visitor.client.predict(image=handle_file(sheet.file), api_name="/inspect")
    assert found["notices"] == []
    for settings in (sheet.settings, found["settings"], *(reading.read(cell).settings for cell in sheet.cells)):
        assert settings["prompt_template"] == template
    told = request_settings(found["settings"])
    again = make(visitor, "lora", **axes, **{name: told[name] for name in ("prompt", "seed", "style_scale", "base")})
    assert [pixels(cell) for cell in again.cells] == [pixels(cell) for cell in sheet.cells]
    assert len({pixels(cell) for cell in sheet.cells}) == 4


@pytest.mark.parametrize("file_format", ["png", "webp-lossless", "webp", "jpeg"])
def test_a_sheets_file_tells_its_settings_in_every_format(visitor: Visitor, file_format: str) -> None:
    sheet = make(visitor, "text_to_image", x_axis="seed", x_values="1-6", steps=1, file_format=file_format)
    found = visitor.client.predict(image=handle_file(sheet.file), api_name="/inspect")
    assert found["tool"] == reading.OURS
    assert found["notices"] == []
    assert found["settings"]["sheet"]["axes"] == [{"name": "seed", "values": [1, 2, 3, 4, 5, 6]}]
    assert found["settings"]["weights"]
    again = cells_in(sheet.file, found["settings"])
    assert [cell.size for cell in again] == [FAMILY.sizes.default] * 6


def test_nothing_is_written_where_nothing_is_wanted(visitor: Visitor) -> None:
    sheet = make(visitor, "text_to_image", x_axis="seed", x_values="1, 2", steps=1, settings_inside=False)
    for path in (sheet.file, *sheet.cells):
        with pytest.raises(AppError, match="There are no settings in that picture"):
            visitor.client.predict(image=handle_file(path), api_name="/inspect")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"task": "nothing"}, "There is no tab called 'nothing' here."),
        ({"x_axis": "none"}, "Choose what the sheet varies across."),
        ({"x_axis": "prompt"}, "'prompt' is nothing that a sheet can vary here."),
        ({"x_values": "1-101"}, "means 101 values; a sheet has 100 cells at the most."),
        ({"y_axis": "seed", "y_values": "5"}, "Both axes vary the same setting."),
        ({"prompt": " "}, "the prompt is empty"),
        ({"x_axis": "steps", "x_values": "2"}, "Steps must be 1 or 4."),
        ({"task": "canny"}, "Choose a picture first."),
        ({"task": "lora", "x_axis": "base", "x_values": "nobody"}, "There is no base called 'nobody'."),
    ],
)
def test_what_can_not_be_made_is_told_before_anything_is(
    visitor: Visitor, values: dict[str, Any], sentence: str
) -> None:
    before = visitor.client.predict(api_name="/status")["leases"]

    with pytest.raises(AppError) as raised:
        visitor.client.predict(**({"prompt": PROMPT} | values), api_name="/contact_sheet")
    assert sentence in str(raised.value)
    assert visitor.client.predict(api_name="/status")["leases"] == before
