"""A contact sheet, as a person makes one, clicks in it and opens it again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open
from tests.browser.demo import Demo

pytestmark = pytest.mark.browser


def cells(page: Page) -> Locator:
    return page.locator("#sheet .grid-container button")


def accordion(demo: Demo, title: str) -> Locator:
    return demo.page.get_by_role("button", name=title).first  # its name has an arrow too


def choose(demo: Demo, label: str, option: str) -> None:
    """Until it stays: what the page still does as it opens may undo it."""
    for _ in range(5):
        demo.field(label).click()
        demo.page.get_by_role("option", name=option, exact=True).click()
        demo.page.wait_for_timeout(1000)
        if demo.field(label).input_value() == option:
            break


def test_a_sheet_is_made_clicked_saved_and_opened_again(open_demo: Open, tmp_path: Path) -> None:
    demo = Demo(open_demo())
    page = demo.page
    demo.field("Prompt").fill("a fox on a blue background")
    demo.field("Seed").fill("-1")
    accordion(demo, "Contact sheet").click()
    choose(demo, "Down", "Steps")
    expect(demo.field("Values down")).to_have_value("1, 4")
    demo.set("Values across", "41, 42")
    demo.button("Make the sheet").click()
    expect(cells(page)).to_have_count(4)
    expect(page.get_by_text("4 pictures ·")).to_be_visible()
    labels = ["Seed 41 · Steps 1", "Seed 42 · Steps 1", "Seed 41 · Steps 4", "Seed 42 · Steps 4"]
    assert [text.strip() for text in page.locator("#sheet .caption-label").all_text_contents()] == labels
    pictures = [demo.image(one).tobytes() for one in page.locator("#sheet .grid-container img").all()]
    assert len(set(pictures)) == 4
    rows = {round(box["y"]) for one in cells(page).all() if (box := one.bounding_box())}
    assert len(rows) == 2

    cells(page).nth(1).click()  # its settings, and a picture of it that is the same when it is made
    expect(demo.field("Seed")).to_have_value("42")
    expect(demo.panel.get_by_role("radio", name="1")).to_be_checked()
    expect(page.get_by_text(re.compile("^seed 42 · 1 step"))).to_be_visible()
    assert demo.pixels() == [pictures[1]]
    assert demo.make(42) == pictures[1]

    slider = page.locator("#comparison .slider-wrap img, #comparison img")
    expect(slider).to_have_count(0)  # one click compares nothing
    cells(page).nth(2).click()
    expect(page.get_by_text("Left: seed 42, 1 step · right: seed 41, 4 steps")).to_be_in_viewport()
    assert {demo.image(one).convert("RGB").tobytes() for one in slider.all()} == {pictures[1], pictures[2]}
    expect(page.locator("#comparison table")).to_contain_text("Seed4241")
    expect(demo.field("Seed")).to_have_value("41")

    with page.expect_download() as download:
        page.get_by_role("link", name="Download the sheet").or_(demo.button("Download the sheet")).first.click()
    file = tmp_path / "sheet.png"
    download.value.save_as(file)

    other = Demo(open_demo(), "Canny")
    accordion(other, "Settings from a picture").click()
    other.page.locator("#inspect input[type=file]").set_input_files(file)
    expect(cells(other.page)).to_have_count(4)
    again = [
        other.image(one).convert("RGB").tobytes() for one in other.page.locator("#sheet .grid-container img").all()
    ]
    assert again == pictures
    cells(other.page).nth(2).click()
    expect(other.page.get_by_role("tab", name="Text to image")).to_have_attribute("aria-selected", "true")
    expect(other.field("Seed")).to_have_value("41")
    expect(other.panel.get_by_role("radio", name="4")).to_be_checked()
    other.button("Use all").click()
    accordion(other, "Contact sheet").click()
    expect(other.field("Values across")).to_have_value("41, 42")
    expect(other.field("Values down")).to_have_value("1, 4")


def test_the_cells_of_a_second_sheet_are_called_by_its_values(open_demo: Open) -> None:
    demo = Demo(open_demo())
    demo.make(7)
    accordion(demo, "Contact sheet").click()
    for first, values in (("Seed 41", "41, 42"), ("Seed 51", "51, 52")):
        demo.set("Values across", values)
        demo.button("Make the sheet").click()
        expect(demo.page.get_by_text("2 pictures ·")).to_be_visible()
        expect(cells(demo.page).first).to_have_attribute("aria-label", first)
        expect(cells(demo.page).first).to_have_attribute("title", first)


def test_stop_ends_a_sheet_and_keeps_what_is_made(open_demo: Open) -> None:
    demo = Demo(open_demo())
    demo.field("Prompt").fill("a fox on a blue background")
    accordion(demo, "Contact sheet").click()
    demo.set("Values across", "1-60")
    demo.button("Make the sheet").click()
    expect(demo.step(r"Cell \d+ of 60")).to_be_visible()
    demo.button("Stop").click()
    expect(demo.page.locator("#sheet .progress-text:visible, #sheet .eta-bar:visible")).to_have_count(0)
    expect(cells(demo.page)).to_have_count(60)
    expect(demo.page.get_by_text("60 pictures ·")).to_have_count(0)


def test_axes_follow_the_open_tab(open_demo: Open) -> None:
    demo = Demo(open_demo())
    accordion(demo, "Contact sheet").click()
    choose(demo, "Across", "Steps")
    expect(demo.field("Values across")).to_have_value("1, 4")
    demo.show("LoRA")
    expect(demo.field("Across")).to_have_value("Seed")
    choose(demo, "Across", "LoRA scale")
    expect(demo.field("Values across")).to_have_value("0, 0.5, 1, 1.5")
