"""The history stays right where one thing happens to it while another is under way."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Request, Route, expect

from tests.browser.conftest import Open, Visit
from tests.browser.demo import Demo
from tests.browser.strip import in_another_tab, reopened, show, strip

pytestmark = pytest.mark.browser


def asks_for_48(request: Request) -> bool:
    return "/queue/join" in request.url and '"seed":48' in (request.post_data or "")


def test_another_that_is_gone_is_clicked_while_one_is_made_again(visit: Visit, address: str) -> None:
    page = visit()
    page.goto(address)
    demo = Demo(page)
    demo.make(48, Pictures=2)
    expect(strip(demo)).to_have_count(2)
    first, second = demo.pixels()
    for source in demo.gallery().evaluate_all("shown => shown.map(one => one.src)"):
        Path(source.partition("file=")[2]).unlink()
    demo = in_another_tab(demo)
    held: list[Route] = []

    def hold(route: Route) -> None:
        if asks_for_48(route.request):
            held.append(route)
        else:
            route.continue_()

    demo.page.route("**/queue/join*", hold)
    with demo.page.expect_request(asks_for_48):
        strip(demo).nth(0).click()
    strip(demo).nth(1).click()
    expect(strip(demo).nth(1)).to_have_attribute("aria-pressed", "true")
    held[0].continue_()
    expect(demo.gallery().first).to_have_attribute("src", re.compile("file=.*49-"))
    expect(demo.page.get_by_text("seed 49 ·")).to_be_visible()
    demo.wait_until_idle()
    assert demo.pixels() == [second]
    demo = in_another_tab(demo)
    assert show(demo, 0, 48) == first
    assert show(demo, 1, 49) == second


_HOLD_DECODING = """() => {
  const decode = HTMLImageElement.prototype.decode;
  const held = window.held = [];
  HTMLImageElement.prototype.decode = function () {
    return new Promise((go) => held.push(go)).then(() => decode.call(this));
  };
}"""
_FAIL_ONCE = """() => {
  const decode = HTMLImageElement.prototype.decode;
  HTMLImageElement.prototype.decode = () => {
    HTMLImageElement.prototype.decode = decode;
    return Promise.reject(new DOMException('', 'EncodingError'));
  };
}"""


def test_what_is_deleted_while_thumbnails_are_made_stays_so(open_demo: Open) -> None:
    demo = Demo(open_demo())
    demo.make(61)
    expect(strip(demo)).to_have_count(1)
    demo.page.evaluate(_HOLD_DECODING)
    demo.make(62)
    demo.page.wait_for_function("window.held.length === 1")
    show(demo, 0, 61)
    demo.button("Delete").click()
    expect(strip(demo)).to_have_count(0)
    demo.page.evaluate("window.held.forEach((go) => go())")
    expect(strip(demo)).to_have_count(1)
    demo = reopened(demo)
    expect(strip(demo)).to_have_count(1)
    show(demo, 0, 62)


def test_what_another_tab_made_while_thumbnails_are_made_stays_too(open_demo: Open) -> None:
    demo = Demo(open_demo())
    other = in_another_tab(demo)
    demo.page.evaluate(_HOLD_DECODING)
    demo.make(63)
    demo.page.wait_for_function("window.held.length === 1")
    other.make(64)
    expect(strip(demo)).to_have_count(1)
    demo.page.evaluate("window.held.forEach((go) => go())")
    expect(strip(demo)).to_have_count(2)
    expect(strip(other)).to_have_count(2)
    expect(strip(in_another_tab(other))).to_have_count(2)


def test_one_picture_without_a_thumbnail_does_not_lose_the_others(open_demo: Open) -> None:
    demo = Demo(open_demo())
    demo.page.evaluate(_FAIL_ONCE)
    demo.make(65, Pictures=2)
    expect(strip(demo)).to_have_count(1)
    show(demo, 0, 66)
    demo.make(67, Pictures=1)
    expect(strip(demo)).to_have_count(2)
