"""Gradio's inputs, handing over what was sent: a request checks it, and names the field in what it says."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.data_classes import ImageData


class Slider(gr.Slider):
    """gr.Slider without its own checks."""

    is_template = True  # the browser draws it as its parent

    def preprocess(self, payload: Any) -> Any:
        """What was sent."""
        return payload


class Number(gr.Number):
    """gr.Number without its own checks."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        """What was sent."""
        return payload


class Radio(gr.Radio):
    """gr.Radio without its own checks: gradio_client's users are told to send its numbers as text."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        """What was sent."""
        return payload


class Dropdown(gr.Dropdown):
    """gr.Dropdown without its own checks."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        """What was sent."""
        return payload


class PictureInput(gr.Image):
    """gr.Image that hands over the file's path untouched.

    gr.Image opens the file itself, and what it says of a broken one is not for visitors.
    """

    is_template = True

    def preprocess(self, payload: ImageData | None) -> Any:
        """The path of the uploaded file, None where there is none."""
        return payload.path if payload else None
