"""Sheets of pictures."""

from __future__ import annotations

from PIL import Image

from training.evaluation.grid import grid


def test_a_grid_goes_on_in_the_next_row_and_leaves_gaps() -> None:
    made = grid([Image.new("RGB", (4, 2), colour) for colour in ("red", "lime", "blue")], 2, gap=1)
    assert made.size == (11, 7)
    points = [(1, 1), (6, 1), (1, 4), (6, 4), (5, 1), (1, 3)]
    wanted = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0), (0, 0, 0), (0, 0, 0)]
    assert [made.getpixel(point) for point in points] == wanted
