"""The page puts a picture into an input by itself, or says that it can't."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.demo import CLIPBOARD, Demo
from tests.browser.strip import strip

pytestmark = pytest.mark.browser


def test_edges_are_followed_also_where_the_clipboard_was_chosen(open_demo: Open) -> None:
    demo = Demo(open_demo(**CLIPBOARD))
    demo.make(74)
    expect(strip(demo)).to_have_count(1)
    demo.show("Canny")
    demo.choose_clipboard("#picture")
    demo.button("Edges from it").click()
    expect(demo.edges()).to_be_visible()


def test_where_there_is_no_input_that_is_said(open_demo: Open) -> None:
    page = open_demo()
    Demo(page)
    page.evaluate("window.dmd2Files.giveUrl('#nowhere', 'data:image/png;base64,')")
    expect(page.get_by_test_id("toast-body")).to_contain_text("could not be put there")
