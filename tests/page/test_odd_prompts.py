"""Prompts that no keyboard writes, as programs and other pages' text boxes send them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.raw_visitor import RawVisitor, Reply


@pytest.fixture(scope="module")
def visitor(address: str) -> Iterator[RawVisitor]:
    with RawVisitor(address) as visitor:
        yield visitor


def drawn(visitor: RawVisitor, prompt: str) -> Reply:
    return visitor.ask("text_to_image", prompt=prompt, width=64, height=64, steps=1)


@pytest.mark.parametrize(
    ("prompt", "read"),
    [
        ("a fox \ud83e", "a fox"),
        ("a \ud83e\udd8a", "a 🦊"),
        ("a fox\0\x1b[31m", "a fox[31m"),
        ("\u202ea fox\u202c\u200f", "a fox"),
        ("a fox\ufffe \r\non blue", "a fox \non blue"),
        ("a fo" + "\u0301" * 5_000 + "x", "a fo" + "\u0301" * 8 + "x"),
        ("<b>a</b> ![fox](http://127.0.0.1/x.png)", "<b>a</b> ![fox](http://127.0.0.1/x.png)"),
    ],
)
def test_picture_is_made_of_what_is_seen(visitor: RawVisitor, prompt: str, read: str) -> None:
    data = drawn(visitor, prompt).data
    assert data
    assert data[2]["prompt"] == read
    with Image.open(Path(data[0][0]["image"]["path"])) as image:
        assert json.loads(image.info["dmd2"])["prompt"] == read
        assert image.info["parameters"].rpartition("\n")[0] == read


@pytest.mark.parametrize(
    "prompt", ["", "\u3000\u2003 ", "\u200f\u200e", "\u200b\ufeff", "\ud83e", "\0", "\u3164", "\u0301"]
)
def test_nothing_to_see_is_told(visitor: RawVisitor, prompt: str) -> None:
    assert drawn(visitor, prompt).error == "Write what you would like to see: the prompt is empty."


@pytest.mark.parametrize("character", ["x", "語", "🦊", "\u0301"])
def test_too_long_is_told(visitor: RawVisitor, character: str) -> None:
    assert drawn(visitor, "a" + 99_999 * character).error == "The prompt has 100,000 characters; the most is 10,000."


def test_a_sentence_quotes_markup_without_making_any(visitor: RawVisitor) -> None:
    reply = visitor.ask("lora", prompt="a cat", base="<img src=x>")
    assert reply.error == "There is no base called '&lt;img src=x&gt;'. Choose one of: base, fluent, twemoji."
