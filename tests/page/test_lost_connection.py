"""What a session whose connection is lost has running: it goes on for a while, and not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from dmd2_demo.generate import edges
from dmd2_demo.open_page import open_page
from dmd2_demo.page.served import ServedBlocks
from dmd2_demo.settings import Settings
from tests.raw_visitor import RawVisitor
from tests.served import free_port


@pytest.fixture(scope="module")
def page() -> Iterator[ServedBlocks]:
    edges.detector()
    page = open_page(Settings("embedded", port=free_port()))
    yield page
    page.close()


@pytest.fixture
def visitor(page: ServedBlocks) -> Iterator[RawVisitor]:
    with RawVisitor(f"http://127.0.0.1:{page.server_port}/") as visitor:
        yield visitor


def begun(visitor: RawVisitor) -> None:
    """Asks for a long job and hangs up at its first picture's first step."""
    event = visitor.event("text_to_image")
    data = visitor.data("text_to_image", prompt="a cat", seed=1, images=8, width=256, height=256)
    body = {"data": data, "fn_index": event["id"], "session_hash": visitor._session}
    assert visitor._http.post("gradio_api/queue/join", json=body).is_success
    params = {"session_hash": visitor._session}
    with visitor._http.stream("GET", "gradio_api/queue/data", params=params) as lines:
        next(line for line in lines.iter_lines() if "step" in line)


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_job_of_who_never_comes_back_is_stopped_and_forgotten(page: ServedBlocks, visitor: RawVisitor) -> None:
    page._queue._grace = 0.5
    begun(visitor)
    until(lambda: page._jobs._jobs and page._jobs._jobs[-1].ended)
    assert page._jobs._jobs[-1].error == "Stopped."
    until(lambda: not any(page._queue.active_jobs))
    assert visitor._session not in page._queue.pending_messages_per_session
    until(lambda: visitor._session not in page._queue.pending_event_ids_session)


def test_job_of_who_comes_back_goes_on_past_that_time(page: ServedBlocks, visitor: RawVisitor) -> None:
    page._queue._grace = 4  # seconds
    address = f"http://127.0.0.1:{page.server_port}/"
    with RawVisitor(address) as later, RawVisitor(address) as stranger:
        resume = later.event("resume")
        begun(visitor)
        data = later.send(resume, [visitor._session]).data
        assert data
        assert len(data[0]) == 8
        assert stranger.send(resume, [""]).data == stranger.send(resume, ["nobody"]).data
        # A picture of one's own, for canny too.
        assert later.ask("canny", prompt="a cat", image=data[0][0]["image"]).data
    until(lambda: visitor._session not in page._queue.pending_event_ids_session)
