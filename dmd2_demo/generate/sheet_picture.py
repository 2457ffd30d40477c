"""A contact sheet as one picture: the cells in a grid, each pixel as it was made, with whole labels beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.picture_file import MOST_PIXELS
from dmd2_demo.generate.sheet import DAMAGED, checked_axes
from dmd2_demo.generate.upload import held, open_picture

_GROUND, _INK = "white", "black"
_LONGEST_ROW = 5  # of one axis alone; more are set in rows

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Grid:
    """Where the cells lie, in pixels: `columns` of them side by side, the first at (`left`, `top`).

    Between two there are `gap` pixels, and between two rows `strip` more, for labels.
    """

    columns: int
    width: int
    height: int
    left: int
    top: int
    gap: int
    strip: int

    def box(self, number: int) -> tuple[int, int, int, int]:
        """(left, upper, right, lower) of a cell."""
        row, column = divmod(number, self.columns)
        x = self.left + column * (self.width + self.gap)
        y = self.top + row * (self.height + self.strip + self.gap)
        return x, y, x + self.width, y + self.height


def columns_of(counts: Sequence[int]) -> int:
    """How many cells stand side by side, for the number of each axis' values."""
    alone = len(counts) == 1 and counts[0] > _LONGEST_ROW
    return math.ceil(math.sqrt(counts[0])) if alone else counts[0]


@dataclass(frozen=True)
class Layout:
    """A sheet before its cells are there: `size` is (width, height), `labels` are (x, y, lines of text)."""

    grid: Grid
    size: tuple[int, int]
    labels: tuple[tuple[int, int, tuple[str, ...]], ...]

    @classmethod
    def of(cls, cell: tuple[int, int], axes: Sequence[Sequence[str]]) -> Layout:
        """For cells of that size. `axes` are the labels of the values from left to right, and from top to bottom.

        DemoError where the sheet would be too large to be opened again.
        """
        width, height = cell
        font, line = _font(cell)
        gap = max(4, width // 32)
        columns = columns_of([len(axis) for axis in axes])
        above = [_wrapped(label, font, width) for label in axes[0]]
        strip = max(map(len, above)) * line
        beside = _fitting(axes[1], font, height // line) if len(axes) > 1 else []
        left = gap + max((_length(row, font) + gap for lines in beside for row in lines), default=0)
        grid = Grid(columns, width, height, left, 2 * gap + strip, gap, 0 if beside else strip + gap)
        right, lower = grid.box(columns - 1)[2], grid.box(math.prod(map(len, axes)) - 1)[3]
        labels = list[tuple[int, int, tuple[str, ...]]]()
        for number, lines in enumerate(above):
            x, y, _, _ = grid.box(number)
            labels.append((x, y - gap - len(lines) * line, tuple(lines)))
        for row, lines in enumerate(beside):
            _, y, _, _ = grid.box(row * columns)
            labels.append((gap, y + max(height - len(lines) * line, 0) // 2, tuple(lines)))
        size = right + gap, lower + gap
        if math.prod(size) > MOST_PIXELS:
            raise DemoError("The sheet would have too many pixels. Choose fewer values or a smaller size.")
        return cls(grid, size, tuple(labels))

    def draw(self, cells: Sequence[Image.Image]) -> Image.Image:
        """The sheet of cells in reading order."""
        sheet = Image.new("RGB", self.size, _GROUND)
        for number, cell in enumerate(cells):
            sheet.paste(cell, self.grid.box(number)[:2])
        pen = ImageDraw.Draw(sheet)
        font, line = _font((self.grid.width, self.grid.height))
        for x, y, lines in self.labels:
            for number, text in enumerate(lines):
                pen.text((x, y + number * line), text, fill=_INK, font=font)
        return sheet


def described(grid: Grid, axes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What `cells_in` needs to find the cells again."""
    return {"axes": list(axes), "grid": asdict(grid)}


def cells_in(path: str | Path, settings: dict[str, Any]) -> list[Image.Image]:
    """The cells of a sheet's file. DemoError where its settings tell of cells that are not there."""
    cells = math.prod(len(axis["values"]) for axis in checked_axes(settings))
    told = settings["sheet"].get("grid")
    names = Grid.__dataclass_fields__
    if isinstance(told, dict) and set(told) == set(names) and all(type(told[name]) is int for name in names):
        grid = Grid(**told)
        sheet = open_picture(path)
        boxes = [grid.box(number) for number in range(cells)] if grid.columns > 0 else []
        if min(told.values()) >= 0 and min(grid.width, grid.height) > 0 and boxes:
            ends = max(box[2] for box in boxes), max(box[3] for box in boxes)
            if ends[0] <= sheet.width and ends[1] <= sheet.height:
                return [held(sheet.crop(box)) for box in boxes]
    raise DemoError(DAMAGED)


def _fitting(labels: Sequence[str], font: Font, most: int) -> list[list[str]]:
    """The labels in lines, no more of them than `most` each where that can be."""
    most = max(most, 1)
    longest = max((_length(word, font) for label in labels for word in label.split()), default=1)
    # No narrower than if all lines were full.
    width = max(longest, *(math.ceil(font.getlength(label) / most) for label in labels))
    while True:
        lines = [_wrapped(label, font, width) for label in labels]
        if max(map(len, lines)) <= most:
            return lines
        width += max(width // 4, 1)


def _wrapped(text: str, font: Font, width: int) -> list[str]:
    """All of the text in lines that are no wider, where one letter isn't; long words are parted."""
    space = font.getlength(" ")
    lines, taken = list[list[str]]([[]]), 0.0
    for word in text.split():
        for piece in _pieces(word, font, width):
            long = font.getlength(piece)
            if lines[-1] and taken + space + long > width:
                lines.append([])
            taken = taken + space + long if lines[-1] else long
            lines[-1].append(piece)
    return [" ".join(pieces) for pieces in lines]


def _pieces(word: str, font: Font, width: int) -> Iterator[str]:
    """The word, in more pieces than one where it is wider than that."""
    start = 0
    for end in range(1, len(word) if _length(word, font) > width else 0):
        if _length(word[start : end + 1], font) > width:
            yield word[start:end]
            start = end
    yield word[start:]


def _length(text: str, font: Font) -> int:
    return math.ceil(font.getlength(text))


def _font(cell: tuple[int, int]) -> tuple[Font, int]:
    """The font of the labels, and the height of a line."""
    font = ImageFont.load_default(max(12, min(cell) // 20))
    return font, sum(font.getmetrics()) + 1 if isinstance(font, ImageFont.FreeTypeFont) else 12
