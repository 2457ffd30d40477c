"""Gradio's inputs, handing over what was sent: a request checks it, and names the field in what it says."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.data_classes import ImageData


class Described:
    """A component that tells programs, as the API's description and as an MCP tool's, what it is for."""

    told = ""

    def api_info(self) -> dict[str, Any]:
        """The type of what it is sent, with a description."""
        info: dict[str, Any] = super().api_info()  # type: ignore[misc]
        return info | ({"description": self.told} if self.told else {})


class _Choice(Described):
    """gr.Radio and gr.Dropdown say that all their choices are text."""

    def api_info(self) -> dict[str, Any]:
        """The choices, of their own type."""
        told = super().api_info()
        whole = all(isinstance(value, int) for value in told["enum"])
        return told | {"type": "integer" if whole else "string"}


class Textbox(Described, gr.Textbox):
    """gr.Textbox, described."""

    is_template = True


class Checkbox(Described, gr.Checkbox):
    """gr.Checkbox, described."""

    is_template = True


class Slider(Described, gr.Slider):
    """gr.Slider without its own checks."""

    is_template = True  # the browser draws it as its parent

    def preprocess(self, payload: Any) -> Any:
        """What was sent."""
        return payload


class Number(Described, gr.Number):
    """gr.Number without its own checks."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        """What was sent."""
        return payload


class Radio(_Choice, gr.Radio):
    """gr.Radio without its own checks: gradio_client's users are told to send its numbers as text."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        """What was sent."""
        return payload


class Dropdown(_Choice, gr.Dropdown):
    """gr.Dropdown without its own checks."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        """What was sent."""
        return payload


class PictureInput(Described, gr.Image):
    """gr.Image that hands over the file's path untouched.

    gr.Image opens the file itself, and what it says of a broken one is not for visitors.
    """

    is_template = True

    def preprocess(self, payload: ImageData | None) -> Any:
        """The path of the uploaded file, None where there is none."""
        return payload.path if payload else None
