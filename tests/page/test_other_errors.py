from __future__ import annotations

import gradio as gr
import pytest

from dmd2_demo.page.other_errors import UNFORESEEN
from dmd2_demo.page.runner import errors_shown


def shown(error: gr.Error) -> gr.Error:
    with pytest.raises(gr.Error) as raised, errors_shown():
        raise error
    return raised.value


def test_a_quota_error_keeps_its_words_and_says_what_can_be_done() -> None:
    said = "You have exceeded your free ZeroGPU quota (25s requested vs. 11s left). Try again in 7:12:03."
    error = shown(gr.Error(said, title="ZeroGPU quota exceeded"))
    assert error.title == "ZeroGPU quota exceeded"
    assert error.message.startswith(said)
    assert "Logging in to Hugging Face" in error.message


def test_what_is_html_for_the_page_stays_so() -> None:
    class Html(str):  # as `spaces` has it
        __slots__ = ()

        def __str__(self) -> str:
            return "plain"

    error = shown(gr.Error(Html("<a>Create an account</a>"), title="ZeroGPU queue timeout"))
    assert error.message.startswith("<a>Create an account</a> Logging in")


def test_the_name_of_a_class_is_not_for_visitors() -> None:
    assert shown(gr.Error("AcceleratorError", title="ZeroGPU worker error")).message == UNFORESEEN
    assert "time was up" in shown(gr.Error("GPU task aborted", title="ZeroGPU worker error")).message


def test_others_pass_as_they_are() -> None:
    error = shown(gr.Error("No GPU was available", title="ZeroGPU client error"))
    assert (error.message, error.title) == ("No GPU was available", "ZeroGPU client error")
