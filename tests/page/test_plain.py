from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from dmd2_demo.page.plain import plain
from dmd2_demo.page.results import describe

MARKUP = [
    "<b>bold</b> <img src=x onerror=alert(1)>",
    "![a](http://127.0.0.1/x.png) [b](http://127.0.0.1)",
    "http://127.0.0.1/ www.example.com a@example.com",
    "**bold** _a_ `code` ~~gone~~",
    "$$x^2$$ \\(x\\)",
    "# title",
    "- item",
    "1. item",
    "&lt;b&gt; &amp; \\*",
]


@pytest.mark.parametrize("text", MARKUP)
def test_markdown_shows_every_letter_and_makes_nothing_of_it(text: str) -> None:
    (paragraph,) = [token for token in MarkdownIt("gfm-like", {"linkify": False}).parse(plain(text)) if token.children]
    assert {token.type for token in paragraph.children or ()} <= {"text", "text_special"}
    assert "".join(token.content for token in paragraph.children or ()) == text
    assert not any(mark in plain(text) for mark in "<>[]()*_`~$:/.@\\")


def test_lines_become_one() -> None:
    assert plain("a\n\n# b\u2028c") == "a &#35; b c"


@pytest.mark.parametrize("markup", MARKUP)
def test_what_a_notice_quotes_is_shown_as_it_was_written(markup: str) -> None:
    told = {"seed": 1, "steps": 4, "width": 64, "height": 64, "seconds": 0.1, "notices": [markup]}
    assert describe(told).partition("  \n")[2] == plain(markup)


@pytest.mark.parametrize("parameters", [None, [], {}, "x", {"seed": 1}, {"notices": 3}, 10**400])
def test_what_is_no_pictures_parameters_is_described_by_nothing(parameters: object) -> None:
    assert describe(parameters) == ""
