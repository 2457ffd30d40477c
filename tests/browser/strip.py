"""The strip of pictures made here, as a person uses it."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.browser.demo import Demo


def strip(demo: Demo) -> Locator:
    """Its pictures, the newest first."""
    return demo.page.locator("#history li button")


def reopened(demo: Demo) -> Demo:
    """The page, loaded anew."""
    demo.page.reload()
    return Demo(demo.page)


def in_another_tab(demo: Demo) -> Demo:
    """The page in another tab of the browser. A reload would bring back the files of what was made last."""
    page = demo.page.context.new_page()
    page.goto(demo.page.url)
    return Demo(page)


def show(demo: Demo, number: int, seed: int) -> bytes:
    """Clicks that picture of the strip. Its pixels."""
    strip(demo).nth(number).click()
    expect(demo.page.get_by_text(f"seed {seed} ·")).to_be_visible()
    return demo.pixels()[0]
