"""What the buttons below the pictures make of the one that is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.demo import Demo

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("button", "size", "line"),
    [
        ("Vary (subtle)", (128, 128), "runs 1 of 4 steps"),
        ("Vary (strong)", (128, 128), "runs 3 of 4 steps"),
        ("Refine 1.5x", (192, 192), "runs 1 of 4 steps"),
    ],
)
def test_a_button_makes_another_of_what_is_shown(
    open_demo: Open, button: str, size: tuple[int, int], line: str
) -> None:
    demo = Demo(open_demo())
    before = demo.make(7)
    demo.field("Seed").fill("8")
    demo.button(button).click()
    demo.wait_for_seed(8)
    expect(demo.page.get_by_text(line)).to_be_visible()
    assert demo.image(demo.gallery().first).size == size
    assert demo.pixels()[0] != before


def test_the_picture_that_is_looked_at_is_the_one_that_varies(open_demo: Open) -> None:
    demo = Demo(open_demo())
    pictures = demo.page.locator(".pictures .grid-container button")

    def varied(number: int | None) -> bytes:
        """Picture `number` of two, opened before it is varied; None: none is."""
        demo.field("Pictures").fill("2")
        demo.make(7)
        expect(pictures).to_have_count(2)
        if demo.page.locator(".pictures .preview").count():
            demo.page.locator(".pictures").get_by_label("Close").click()
        if number is not None:
            demo.open(number)
        demo.field("Pictures").fill("1")
        demo.field("Seed").fill("9")
        demo.button("Vary (subtle)").click()
        demo.wait_for_seed(9)
        return demo.pixels()[0]

    first = varied(None)
    assert varied(1) != first
    assert varied(0) == first


def test_refining_twice_is_refused_and_the_picture_stays(open_demo: Open) -> None:
    demo = Demo(open_demo())
    demo.make(7)
    demo.button("Refine 1.5x").click()
    expect(demo.page.get_by_text("192 × 192")).to_be_visible()
    demo.wait_until_idle()
    before = demo.pixels()
    demo.button("Refine 1.5x").click()
    expect(demo.page.get_by_text("larger than these models do well")).to_be_visible()
    assert demo.pixels() == before


def test_the_tab_starts_from_a_picture_of_ones_own(open_demo: Open, drawing: Path) -> None:
    demo = Demo(open_demo(), "Image to image")
    demo.upload(drawing)
    demo.field("number input for Strength").fill("0.75")
    expect(demo.panel.get_by_text("Runs 3 of 4 steps.")).to_be_visible()
    demo.make(7)
    expect(demo.page.get_by_text("runs 3 of 4 steps · 144 × 112")).to_be_visible()
    assert demo.image(demo.gallery().first).size == (144, 112)
