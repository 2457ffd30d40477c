"""A phone that locks or loses its network gets what was made meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.demo import Demo
from tests.browser.test_stop import ask_for_long
from tests.network import Network
from tests.visitor import connect

pytestmark = pytest.mark.browser

GOES_ON = "What was asked for before this page was reloaded is still being made."


def test_job_goes_on_without_a_network_and_its_pictures_are_there_on_return(visit: Visit, address: str) -> None:
    page = visit(viewport={"width": 390, "height": 844})
    with Network(address) as network:
        page.goto(network.address)
        demo = Demo(page)
        ask_for_long(demo, 41)
        network.lose()
        # Gradio notices, and opens the page anew once it can.
        lost = page.get_by_text("Connection to the server was lost.")
        expect(lost).to_be_visible()
        network.find()
        expect(lost).to_have_count(0)
        expect(page.get_by_text(re.compile("^seed 41 ·"))).to_be_visible()
        expect(page.get_by_text(GOES_ON)).to_have_count(0)
        expect(demo.gallery()).to_have_count(8)
        page.close()


@pytest.fixture
def crowd(address: str) -> Iterator[None]:
    """Three others who ask for as much: what takes its turn with them still runs when the page is open again."""
    clients = [connect(address) for _ in range(3)]
    asked = {"prompt": "a fox", "width": 256, "height": 256, "images": 8, "api_name": "/text_to_image"}
    jobs = [client.submit(**asked) for client in clients]
    yield
    for job in jobs:
        job.cancel()


@pytest.mark.usefixtures("crowd")
def test_page_opened_anew_while_a_job_runs_follows_and_can_stop_it(visit: Visit, address: str) -> None:
    page = visit()
    page.goto(address)
    demo = Demo(page)
    ask_for_long(demo, 42)
    page.reload()
    expect(page.get_by_text(GOES_ON)).to_be_visible()
    demo.button("Stop").click()
    expect(page.get_by_text("What was asked for before this page was reloaded has ended: Stopped.")).to_be_visible()
    other = page.context.new_page()  # a tab of its own has no page before it
    other.goto(address)
    expect(Demo(other).gallery().first).to_be_visible()
    expect(other.get_by_text("seed 42 ·")).to_have_count(0)
