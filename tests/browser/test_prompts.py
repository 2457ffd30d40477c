"""What the page says of a prompt while it is written, and choices in it."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Request, expect

from tests.browser.conftest import Open
from tests.browser.demo import Demo

pytestmark = pytest.mark.browser


class Counting:
    """The questions that the page has for the count of tokens."""

    def __init__(self) -> None:
        self.asked, self.open, self.most_open = 0, 0, 0

    def begun(self, request: Request) -> None:
        if self._counts(request):
            self.asked += 1
            self.open += 1
            self.most_open = max(self.most_open, self.open)

    def ended(self, request: Request) -> None:
        if self._counts(request):
            self.open -= 1

    @staticmethod
    def _counts(request: Request) -> bool:
        if request.method != "POST" or not request.url.endswith("/run/predict"):
            return False
        data = json.loads(request.post_data or "{}").get("data", [])
        return len(data) == 2 and isinstance(data[0], str) and data[1] is False


def test_tokens_are_counted_while_one_writes_one_question_at_a_time(open_demo: Open) -> None:
    demo = Demo(open_demo())
    told = demo.page.locator("#tokens")
    expect(told).to_have_text("9 of 22 tokens")  # of the example that is there at first
    counting = Counting()
    demo.page.on("request", counting.begun)
    demo.page.on("requestfinished", counting.ended)
    demo.field("Prompt").fill("")
    expect(told).to_have_text("")
    demo.field("Prompt").press_sequentially("a (fox:1.2) on a [blue] background")
    expect(told).to_have_text("6 of 22 tokens")
    assert counting.asked >= 2
    assert counting.most_open == 1
    demo.field("Prompt").fill("a " * 23)
    expect(told).to_have_text("23 of 44 tokens, in 2 chunks")
    demo.page.get_by_role("button", name="More").click()
    demo.page.get_by_label("Plain prompt").check()
    expect(told).to_have_text("23 of 22 tokens, the last 1 are cut off")


def test_choices_make_a_picture_each(open_demo: Open) -> None:
    demo = Demo(open_demo())
    demo.field("Prompt").fill("a {cat|dog|fox}")
    expect(demo.page.locator("#tokens")).to_have_text("3 prompts, the longest with 2 of 22 tokens")
    demo.make(7, prompt="a {cat|dog|fox}")
    assert len(set(demo.pixels())) == 3
