"""The history stays right where one thing happens to it while another is under way."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Request, Route, expect

from tests.browser.conftest import Visit
from tests.browser.demo import Demo
from tests.browser.strip import in_another_tab, show, strip

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
