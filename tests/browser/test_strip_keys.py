"""The strip without a mouse and without eyes."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.demo import Demo
from tests.browser.strip import in_another_tab, show, strip

pytestmark = pytest.mark.browser


def test_the_focus_goes_from_a_deleted_picture_to_its_neighbour(open_demo: Open) -> None:
    demo = Demo(open_demo())
    demo.make(75, Pictures=3)
    expect(strip(demo)).to_have_count(3)
    show(demo, 1, 76)
    demo.button("Delete").press("Enter")
    expect(strip(demo)).to_have_count(2)
    expect(strip(demo).nth(1)).to_be_focused()
    strip(demo).nth(1).press("Enter")
    expect(demo.page.get_by_text("seed 77 ·")).to_be_visible()
    expect(strip(demo).nth(1)).to_be_focused()
    demo.button("Delete").press("Enter")
    expect(strip(demo)).to_have_count(1)
    expect(strip(demo)).to_be_focused()


def test_who_compares_is_told_to_choose_another_while_there_is_something_to_compare(open_demo: Open) -> None:
    demo = Demo(open_demo())
    told = demo.page.get_by_role("status").filter(has_text="Now the other one:")
    demo.make(78, Pictures=2)
    expect(strip(demo)).to_have_count(2)
    demo.button("Compare").click()
    expect(told).to_be_visible()
    demo.button("Delete").click()
    expect(told).to_have_count(0)
    show(demo, 0, 79)
    demo.button("Compare").click()
    expect(told).to_be_visible()
    other = in_another_tab(demo)
    show(other, 0, 79)
    other.button("Delete").click()
    expect(strip(demo)).to_have_count(0)
    other.make(80)
    expect(strip(demo)).to_have_count(1)
    expect(told).to_have_count(0)
