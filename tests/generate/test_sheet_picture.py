"""One picture of all cells, with labels, and the cells out of it again."""

from __future__ import annotations

import time
from typing import Any

import pytest
from PIL import Image

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.sheet_picture import Layout, cells_in

LABELS = [
    [["Seed 1", "Seed 2"]],
    [["", ""], ["Steps 1", "Steps 4"]],  # of a prompt that is nothing but brackets
    [[f"Seed {number}" for number in range(11)]],
    [
        ["Steps 1", "Steps 4"],
        ["Base an-owner-of-long-names/a-name-that-is-much-longer-than-any-cell-is-wide", "Base x"],
    ],
]


@pytest.mark.parametrize("labels", LABELS, ids=["few", "of no words", "wrapped", "two axes"])
@pytest.mark.parametrize("size", [(64, 64), (128, 96)])
def test_cells_lie_in_the_sheet_as_they_were_made_and_labels_are_whole(labels: Any, size: tuple[int, int]) -> None:
    count = len(labels[0]) * (len(labels[1]) if len(labels) > 1 else 1)
    cells = [Image.effect_noise(size, 60).convert("RGB") for _ in range(count)]
    layout = Layout.of(size, labels)
    drawn = layout.draw(cells)
    boxes = [layout.grid.box(number) for number in range(count)]
    assert [drawn.crop(box).tobytes() for box in boxes] == [cell.tobytes() for cell in cells]
    written = sorted("".join(lines).replace(" ", "") for _, _, lines in layout.labels)
    assert written == sorted(label.replace(" ", "") for axis in labels for label in axis)
    # Nothing is written outside of the sheet, or into a cell: with the cells painted over, all the ink is still there.
    blank = Layout.draw(layout, [Image.new("RGB", size, "white")] * count).convert("L")
    alone = Layout.of(size, labels)
    inked = blank.point(lambda shade: 255 * (shade < 128))
    for box in boxes:
        assert inked.crop(box).getbbox() is None
    edge = inked.getbbox()
    assert edge
    assert edge[0] > 0
    assert edge[2] < alone.size[0]


@pytest.mark.parametrize("letters", ["a red fox by the sea, ", "snow"])
def test_long_labels_take_no_time_and_stay_whole(letters: str) -> None:
    long = [(letters * 2500)[:9_900] + end for end in "ab"]
    before = time.process_time()
    layout = Layout.of((128, 128), [["1", "2"], long])
    assert time.process_time() - before < 5
    for words, (_, _, lines) in zip(long, layout.labels[2:], strict=True):
        assert "".join(lines).replace(" ", "") == words.replace(" ", "")


@pytest.mark.parametrize(
    ("size", "axes"), [((1024, 1024), [list("abcde") * 17]), ((1024, 1024), [["a word " * 1400 for _ in range(8)]])]
)
def test_a_sheet_that_could_not_be_opened_again_is_refused(size: tuple[int, int], axes: list[list[str]]) -> None:
    with pytest.raises(DemoError, match="too many pixels"):
        Layout.of(size, axes)


ODD: list[Any] = [
    None,
    [],
    {"axes": None},
    {"axes": []},
    {"axes": [{"name": "seed", "values": []}]},
    {"axes": [{"name": 5, "values": [1]}]},
    {"axes": [{"name": "seed", "values": [[1]]}]},
    {"axes": [{"name": "seed", "values": list(range(101))}]},
    {"axes": [{"name": "seed", "values": [1]}] * 3},
    {"axes": [{"name": "seed", "values": [1, 2]}], "grid": None},
    {"axes": [{"name": "seed", "values": [1, 2]}], "grid": {"columns": 1}},
]
GRID = {"columns": 2, "width": 4, "height": 4, "left": 0, "top": 0, "gap": 0, "strip": 0}
ODD += [
    {"axes": [{"name": "seed", "values": [1, 2]}], "grid": GRID | change}
    for change in ({"columns": 0}, {"columns": True}, {"width": 0}, {"left": -1}, {"gap": 10**30}, {"width": 4.0})
]


@pytest.mark.parametrize("odd", ODD)
def test_a_damaged_sheet_is_told(tmp_path: Any, odd: Any) -> None:
    path = tmp_path / "sheet.png"
    Image.new("RGB", (8, 4)).save(path)
    with pytest.raises(DemoError, match="as a contact sheet is damaged"):
        cells_in(path, {"sheet": odd})
    whole = {"axes": [{"name": "seed", "values": [1, 2]}], "grid": GRID}
    assert [cell.size for cell in cells_in(path, {"sheet": whole})] == [(4, 4), (4, 4)]
