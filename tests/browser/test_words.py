"""The family's words as buttons, by mouse and by keys."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.demo import Demo

pytestmark = pytest.mark.browser

CLICKS = [
    ("", "owl", "an owl"),
    ("an owl", "fox", "a fox"),
    ("a fox", "blue", "a fox on a blue background"),
    ("a fox on a blue background", "orange", "a fox on an orange background"),
    ("a fox on an orange background", "noto", "a fox on an orange background, noto style"),
    ("Fox on orange, noto", "twemoji", "Fox on orange, twemoji"),
    ("a carnival", "car", "a carnival a car"),
]


def test_a_click_adds_a_word_or_takes_the_place_of_another(open_demo: Open) -> None:
    demo = Demo(open_demo())
    expect(demo.field("Prompt")).not_to_have_value("")
    demo.page.get_by_role("button", name="Words it knows").click()
    for before, word, after in CLICKS:
        demo.field("Prompt").fill(before)
        demo.page.locator("#words").get_by_role("button", name=word, exact=True).click()
        expect(demo.field("Prompt")).to_have_value(after)
    demo.page.locator("#words").get_by_role("button", name="cat", exact=True).focus()
    demo.field("Prompt").fill("a fox")
    demo.page.locator("#words").get_by_role("button", name="cat", exact=True).press("Enter")
    expect(demo.field("Prompt")).to_have_value("a cat")
    demo.make(7, prompt="kitties on a gray backdrop")  # and what is typed is taken for what is meant
    expect(demo.page.get_by_text("“kitties” was taken for “cat”, “gray” was taken for “grey”")).to_be_visible()
