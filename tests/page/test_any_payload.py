"""Whatever is sent to whatever event of the page: it answers with a result or a sentence, and goes on working."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.raw_visitor import RawVisitor, Reply

PAYLOADS = int(os.environ.get("PAYLOADS", "500"))
"""To each event. 500 take about seven minutes; whoever has less time says so."""

TEXTS = st.one_of(
    st.text(st.characters(codec=None, exclude_categories=()), max_size=20),
    st.sampled_from(["a cat", "\ud83e", "\0", "\u200f", "x" * 2_000, "../../etc/passwd", "<img src=x>", "owner/name"]),
)
NUMBERS = st.one_of(
    st.integers(), st.floats(), st.sampled_from([0, 1, 4, 64, -1, 2**32, 10**400, float("nan"), float("inf")])
)
PLAIN = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
FILES = st.fixed_dictionaries(
    {"path": TEXTS | st.sampled_from(["/etc/passwd", "/etc", "", "data:image/png;base64,AAAA", "http://127.0.0.1:1/"])},
    optional={"meta": st.just({"_type": "gradio.FileData"}) | PLAIN, "url": PLAIN, "orig_name": PLAIN, "size": PLAIN},
)
ANYTHING = st.recursive(
    PLAIN | FILES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.just("path"), inner, max_size=4)
    ),
    max_leaves=6,
)


def payloads(inputs: int) -> st.SearchStrategy[list[Any]]:
    """Mostly as many values as the event takes."""
    return st.lists(ANYTHING, min_size=inputs, max_size=inputs) | st.lists(ANYTHING, max_size=inputs + 2)


def assert_answered(reply: Reply) -> None:
    """By a result, or by a sentence that is no more than one and not the one for what nobody foresaw."""
    if reply.data is not None:
        return
    assert isinstance(reply.error, str)
    assert 10 < len(reply.error) < 300
    assert reply.error.endswith(".")
    assert not any(word in reply.error for word in ("\n", "Traceback", "Error", "Something went wrong"))


def send_anything(visitor: RawVisitor, event: dict[str, Any]) -> None:
    @settings(
        max_examples=PAYLOADS, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(payloads(len(event["inputs"])))
    def send(payload: list[Any]) -> None:
        assert_answered(visitor.send(event, payload))

    send()


def test_every_event_answers_whatever_is_sent_and_a_good_request_after_it_works(address: str) -> None:
    with RawVisitor(address) as visitor:
        for event in visitor.events:
            send_anything(visitor, event)
            assert visitor.ask("text_to_image", prompt="a cat", steps=1).data, event["api_name"]


def test_half_a_character_is_answered_wherever_it_stands(address: str) -> None:
    """A settings link with one in the page's address was an error, found by chance among thousands of payloads."""
    with RawVisitor(address) as visitor:
        for event in visitor.events:
            inputs = len(event["inputs"])
            for half in ("a \ud83e", {"prompt": "a \ud83e", "\ud83e": ["\udd8a"]}):
                for place in range(inputs):
                    assert_answered(visitor.send(event, [None if other != place else half for other in range(inputs)]))
                assert_answered(visitor.send(event, [half] * inputs))
