"""What a visitor is told of errors that are not ours: the `spaces` package's, a full disk, and what nobody foresaw."""

from __future__ import annotations

import gradio as gr

from dmd2_demo.errors import DemoError
from dmd2_demo.page.full_disk import FULL_DISK, is_full

UNFORESEEN = "Something went wrong in the demo itself. Nothing of yours is lost; please try again."

_QUOTA = {
    "ZeroGPU quota exceeded",
    "ZeroGPU queue timeout",
    "ZeroGPU illegal duration",
    "ZeroGPU pending credits exceeded",
}
_ADVICE = (
    " Logging in to Hugging Face gives more minutes a day, fewer pictures ask for less, and on a computer or Space of "
    "your own this demo has no such limit."
)
_ABORTED = (
    "The GPU was taken back before the picture was done: its time was up, or its process ended. Please try again; "
    "fewer pictures at once need less time."
)


def sentence_of(error: Exception) -> str:
    """What a visitor is told of it."""
    if isinstance(error, DemoError):
        return str(error)
    if isinstance(error, gr.Error):
        return str(advised(error).message)
    return FULL_DISK if is_full(error) else UNFORESEEN


def advised(error: gr.Error) -> gr.Error:
    """The error with its own words, and a line of advice where it is about the visitor's minutes.

    Of what broke in the GPU's process `spaces` tells the class's name, which is for the log.
    """
    message = str.__str__(error.message)  # some are HTML for the page, and plain text where they are printed
    if error.title in _QUOTA:
        message += _ADVICE
    elif error.title == "ZeroGPU worker error":
        message = _ABORTED if message == "GPU task aborted" else UNFORESEEN
    return gr.Error(message, duration=error.duration, title=error.title, print_exception=False)
