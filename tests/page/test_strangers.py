"""What a page that others reach keeps from them: the operator's button, and places in the queue beyond theirs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest

from dmd2_demo.generate import edges
from dmd2_demo.generate.line import Line
from dmd2_demo.open_page import open_page
from dmd2_demo.page.served import ServedBlocks
from dmd2_demo.settings import Settings
from tests.raw_visitor import PATIENCE, RawVisitor
from tests.served import free_port

LARGE = {"prompt": "a cat", "seed": 1, "images": 8, "width": 256, "height": 256}


@pytest.fixture(scope="module")
def page() -> Iterator[ServedBlocks]:
    """Open to all networks, with two places for a visitor and five for an address."""
    edges.detector()
    settings = Settings("embedded", "0.0.0.0", free_port(), queue_per_visitor=2, queue_per_address=5)
    page = open_page(settings)
    yield page
    page.close()


@pytest.fixture
def public(page: ServedBlocks) -> Iterator[str]:
    """Its address, from this machine; what still waits or runs there afterwards is stopped."""
    address = f"http://127.0.0.1:{page.server_port}/"
    yield address
    with RawVisitor(address) as visitor:
        event = visitor.event("stop_of")["id"]
        for present in page._queue.active_jobs:
            for job in present or ():
                body = {"data": [], "fn_index": event, "session_hash": job.session_hash}
                httpx.post(f"{address}gradio_api/run/predict", json=body, timeout=60)
        while any(page._queue.active_jobs):
            assert httpx.get(f"{address}config", timeout=PATIENCE).is_success


def events(address: str) -> set[str]:
    return {str(event["api_name"]) for event in httpx.get(f"{address}config", timeout=PATIENCE).json()["dependencies"]}


def test_page_that_others_reach_has_no_event_that_unloads(public: str, address: str) -> None:
    assert "unload" in events(address)
    assert "unload" not in events(public)


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via"])
def test_who_comes_through_a_proxy_does_not_unload_either(address: str, header: str) -> None:
    with RawVisitor(address) as visitor:
        event = visitor.event("unload")
        assert visitor.send(event, []).error is None
        visitor._http.headers[header] = "203.0.113.7"
        assert visitor.send(event, []).error == "Only whoever runs this page can unload its models."


def test_visitor_with_too_much_in_line_gets_a_sentence_and_others_their_places(public: str) -> None:
    with RawVisitor(public) as busy, RawVisitor(public) as other:
        event = busy.event("text_to_image")
        large = busy.data("text_to_image", **LARGE)
        body = {"data": large, "fn_index": event["id"], "session_hash": busy._session}
        for _ in range(2):
            assert busy._http.post("gradio_api/queue/join", json=body).is_success
        assert (busy.send(event, large).error or "").startswith("You have 2 requests waiting or running already")
        assert (busy.ask("canny", prompt="a cat").error or "").startswith("You have 2 requests")
        assert other.ask("text_to_image", prompt="a cat", steps=1).data


@pytest.mark.parametrize(("sessions", "places"), [("one", 2), ("none", 2), ("many", 5)])
def test_address_never_has_all_places_whatever_it_says(
    page: ServedBlocks, public: str, sessions: str, places: int
) -> None:
    with RawVisitor(public) as visitor:
        event, large = visitor.event("text_to_image"), visitor.data("text_to_image", **LARGE)
        for number in range(20):
            headers = {"X-Forwarded-For": f"198.51.100.{number}"}
            if sessions == "none":
                body: dict[str, Any] = {"data": large}
                joined = visitor._http.post("gradio_api/call/text_to_image", json=body, headers=headers)
            else:
                session = visitor._session if sessions == "one" else uuid.uuid4().hex
                body = {"data": large, "fn_index": event["id"], "session_hash": session}
                joined = visitor._http.post("gradio_api/queue/join", json=body, headers=headers)
            assert joined.is_success
        present = list(page._queue._present())
        assert {one.address for one in present} == {"127.0.0.1"}
        assert len(present) == places


def test_nobody_gets_past_the_queue(public: str) -> None:
    for way in ("run", "api"):
        body = {"data": list(LARGE.values())}
        answer = httpx.post(f"{public}gradio_api/{way}/text_to_image", json=body, timeout=PATIENCE)
        assert answer.status_code == httpx.codes.NOT_FOUND


def test_programs_without_a_session_are_one_visitor_of_their_address(
    page: ServedBlocks, public: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, turn = list[str](), Line.turn

    def noted(line: Line, visitor: str = "", *more: Any, **named: Any) -> AbstractContextManager[None]:
        turns.append(visitor)
        return turn(line, visitor, *more, **named)

    monkeypatch.setattr(Line, "turn", noted)
    kept = list(page._jobs._jobs)
    call = f"{public}gradio_api/call/text_to_image"
    with RawVisitor(public) as visitor:
        data = visitor.data("text_to_image", prompt="a cat", steps=1)
    for _ in range(2):
        event = httpx.post(call, json={"data": data}, timeout=60).json()["event_id"]
        assert "event: complete" in httpx.get(f"{call}/{event}", timeout=60).text
    assert turns == ["127.0.0.1", "127.0.0.1"]
    assert page._jobs._jobs == kept, "nobody can come back for them"


@pytest.mark.parametrize("way", ["queue/join", "run/predict"])
def test_session_with_an_endless_name_is_refused(address: str, way: str) -> None:
    with RawVisitor(address) as visitor:
        body = {"data": [], "fn_index": visitor.event("unload")["id"], "session_hash": "x" * 10_000}
        answer = visitor._http.post(f"gradio_api/{way}", json=body)
    assert answer.status_code == 422
    assert "no session of this page" in answer.text


@pytest.mark.parametrize(
    ("sent", "status", "sentence"),
    [
        ([[{}] * 300_000], 400, "error parsing the body"),  # seconds and hundreds of MB to read
        (["x" * 2_000_000], 500, "more than 1,500,000 letters"),
    ],
)
def test_more_than_anything_needs_is_refused(page: ServedBlocks, sent: list[Any], status: int, sentence: str) -> None:
    with RawVisitor(f"http://127.0.0.1:{page.server_port}/") as visitor:
        event = next(event for event in visitor.events if not event["queue"] and len(event["inputs"]) == 1)
        answer = visitor._http.post("gradio_api/run/predict", json={"data": sent, "fn_index": event["id"]})
    assert answer.status_code == status
    assert sentence in answer.text


def test_who_reads_no_answers_gets_no_more(page: ServedBlocks, public: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dmd2_demo.page.queue._MOST_UNREAD", 6)
    with RawVisitor(public) as visitor:
        event, data = visitor.event("text_to_image"), visitor.data("text_to_image", prompt=" ")
        body = {"data": data, "fn_index": event["id"], "session_hash": visitor._session}
        answers = [visitor._http.post("gradio_api/queue/join", json=body) for _ in range(12)]
        while any(page._queue.active_jobs):
            assert visitor._http.get("config").is_success
        answers.append(visitor._http.post("gradio_api/queue/join", json=body))
    assert answers[0].is_success
    assert answers[-1].status_code == 503
    assert "Nobody reads" in answers[-1].text


def test_unread_answers_of_all_are_bounded(page: ServedBlocks, public: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dmd2_demo.page.queue._MOST_UNREAD_OF_ALL", 10)
    with RawVisitor(public) as visitor:
        event, data = visitor.event("text_to_image"), visitor.data("text_to_image", prompt=" ")
        for number in range(12):
            body = {"data": data, "fn_index": event["id"], "session_hash": f"{visitor._session}{number}"}
            assert visitor._http.post("gradio_api/queue/join", json=body).is_success
            while any(page._queue.active_jobs):
                assert visitor._http.get("config").is_success
        assert len(page._queue.pending_messages_per_session) < 12
        assert visitor.ask("text_to_image", prompt="a cat", steps=1).data
