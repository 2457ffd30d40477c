"""The buttons under the strip mean the picture that is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.demo import Demo
from tests.browser.strip import show, strip

pytestmark = pytest.mark.browser


def test_no_picture_of_the_strip_is_chosen_where_an_example_or_a_cell_is_shown(open_demo: Open) -> None:
    demo = Demo(open_demo())
    demo.make(71)
    expect(demo.button("Delete")).to_be_visible()
    demo.examples().first.click()
    expect(demo.button("Delete")).to_be_hidden()
    expect(strip(demo)).to_have_attribute("aria-pressed", "false")
    show(demo, 0, 71)
    expect(demo.button("Delete")).to_be_visible()
    demo.page.get_by_role("button", name="Contact sheet").first.click()
    demo.set("Values across", "41, 42")
    demo.button("Make the sheet").click()
    expect(demo.page.get_by_text("2 pictures ·")).to_be_visible()
    expect(demo.button("Delete")).to_be_visible()
    demo.page.locator("#sheet .grid-container button").first.click()
    expect(demo.button("Delete")).to_be_hidden()


def test_of_several_pictures_the_edges_are_the_opened_ones(open_demo: Open) -> None:
    demo = Demo(open_demo())
    demo.make(71, Pictures=2)
    expect(strip(demo)).to_have_count(2)
    second = demo.pixels()[1]
    demo.open(1)
    demo.button("Edges from it").click()
    expect(demo.edges()).to_be_visible()
    assert demo.image(demo.page.locator("#picture .image-frame img").first).tobytes() == second


def test_what_was_made_from_a_picture_is_not_made_from_another_that_lies_there(
    open_demo: Open, drawing: Path, tmp_path: Path
) -> None:
    demo = Demo(open_demo(), "Canny")
    demo.upload(drawing)
    expect(demo.edges()).to_be_visible()
    made = demo.make(72, prompt="a fox")
    expect(strip(demo)).to_have_count(1)
    toast = demo.page.get_by_test_id("toast-body")
    demo.field("Prompt").fill("a cat")
    demo.button("Use settings").click()
    expect(demo.field("Prompt")).to_have_value("a fox")
    expect(toast).to_have_count(0)
    edges = demo.edges().get_attribute("src")
    with Image.open(drawing) as image:
        image.transpose(Image.Transpose.ROTATE_180).save(tmp_path / "another.png")
    demo.upload(tmp_path / "another.png")
    expect(demo.edges()).not_to_have_attribute("src", edges or "")
    demo.button("Another seed").click()
    expect(toast).to_contain_text("made from another, which is not kept. Choose it under Canny")
    expect(demo.edges()).to_have_count(0)
    demo.upload(drawing)
    expect(demo.edges()).to_be_visible()
    demo.button("Use settings").click()
    expect(demo.field("Seed")).to_have_value("72")
    demo.generate()
    demo.wait_for_seed(72)
    assert demo.pixels() == [made]
    expect(strip(demo)).to_have_count(2)  # and none of another seed
