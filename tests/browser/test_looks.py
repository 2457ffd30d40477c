"""What the page looks like, on a desk, on a phone and in the dark."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import FloatRect, Locator, expect

from tests.browser.conftest import Open
from tests.browser.demo import Demo
from tests.embedded import FAMILY

pytestmark = pytest.mark.browser

TABS = ["Text to image", "LoRA", "Canny"]
PHONE = {"width": 390, "height": 844}


def box(locator: Locator) -> FloatRect:
    found = locator.bounding_box()
    assert found
    return found


def luminance(colour: str) -> float:
    """Of a CSS colour, from 0 to 1, as the accessibility guidelines define it."""
    red, green, blue = (int(part) / 255 for part in re.findall(r"\d+", colour)[:3])
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_header_tells_family_device_and_licence(open_demo: Open) -> None:
    header = open_demo().locator("#header")
    expect(header.get_by_role("heading", name="DMD2")).to_be_visible()
    expect(header).to_contain_text(FAMILY.title)
    expect(header.get_by_role("link", name=FAMILY.licence.name)).to_have_attribute("href", FAMILY.licence.url)


@pytest.mark.parametrize("tab", TABS)
def test_controls_stand_left_of_the_pictures_on_a_desk(open_demo: Open, tab: str) -> None:
    demo = Demo(open_demo(), tab)
    controls, pictures = box(demo.button("Generate")), box(demo.page.locator(".pictures"))
    assert controls["x"] + controls["width"] <= pictures["x"] + pictures["width"] / 2
    assert box(demo.button("Stop"))["x"] < pictures["x"]


@pytest.mark.parametrize("tab", TABS)
def test_phone_has_one_column_without_sideways_scrolling_and_generate_in_reach(open_demo: Open, tab: str) -> None:
    demo = Demo(open_demo(viewport=PHONE, has_touch=True, is_mobile=True), tab)
    generate, pictures = box(demo.button("Generate")), box(demo.page.locator(".pictures"))
    prompt = box(demo.field("Prompt"))
    assert 0 <= generate["y"] <= PHONE["height"] - generate["height"]
    assert prompt["y"] < pictures["y"]
    assert min(prompt["width"], pictures["width"]) > PHONE["width"] * 0.75
    assert demo.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_phone_makes_a_picture_that_fits(open_demo: Open) -> None:
    demo = Demo(open_demo(viewport=PHONE))
    demo.make(7)
    picture = box(demo.gallery().first)
    assert picture["x"] >= 0
    assert picture["x"] + picture["width"] <= PHONE["width"]


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_page_follows_the_systems_colours_and_stays_readable(open_demo: Open, scheme: str, dark: bool) -> None:
    page = open_demo(color_scheme=scheme)
    Demo(page)

    def style(selector: str, name: str) -> float:
        return luminance(page.evaluate(f"getComputedStyle(document.querySelector('{selector}')).{name}"))

    ground, text, facts = (
        style("body", "backgroundColor"),
        style("#header h1", "color"),
        style("#header .facts", "color"),
    )
    assert (ground < 0.1) is dark
    for colour in (text, facts):
        assert (max(colour, ground) + 0.05) / (min(colour, ground) + 0.05) >= 4.5
