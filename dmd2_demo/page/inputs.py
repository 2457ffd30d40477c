"""Gradio's inputs, handing over what was sent: a request checks it, and names the field in what it says."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.data_classes import ImageData


def _described(component: Any, info: dict[str, Any]) -> dict[str, Any]:
    """What the API and MCP tools say of a component, with what `form.component` told it about its field.

    No base class of them all: Gradio looks for a component's own parent in the first place.
    """
    told = getattr(component, "told", "")
    return info | ({"description": told} if told else {})


def _of_choices(component: Any, info: dict[str, Any]) -> dict[str, Any]:
    """The same for choices, of which Gradio says that they are all text."""
    whole = all(isinstance(value, int) for value in info["enum"])
    return _described(component, info) | {"type": "integer" if whole else "string"}


class Textbox(gr.Textbox):
    """gr.Textbox, described."""

    is_template = True

    def api_info(self) -> dict[str, Any]:
        """As its parent's, described."""
        return _described(self, super().api_info())


class Checkbox(gr.Checkbox):
    """gr.Checkbox, described."""

    is_template = True

    def api_info(self) -> dict[str, Any]:
        """As its parent's, described."""
        return _described(self, super().api_info())


class Slider(gr.Slider):
    """gr.Slider without its own checks."""

    is_template = True  # the browser draws it as its parent

    def preprocess(self, payload: Any) -> Any:
        """What was sent."""
        return payload

    def api_info(self) -> dict[str, Any]:
        """As its parent's, described."""
        return _described(self, super().api_info())


class Number(gr.Number):
    """gr.Number without its own checks."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        """What was sent."""
        return payload

    def api_info(self) -> dict[str, Any]:
        """As its parent's, described."""
        return _described(self, super().api_info())


class Radio(gr.Radio):
    """gr.Radio without its own checks: gradio_client's users are told to send its numbers as text."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        """What was sent."""
        return payload

    def api_info(self) -> dict[str, Any]:
        """As its parent's, described."""
        return _of_choices(self, super().api_info())


class Dropdown(gr.Dropdown):
    """gr.Dropdown without its own checks."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        """What was sent."""
        return payload

    def api_info(self) -> dict[str, Any]:
        """As its parent's, described."""
        return _of_choices(self, super().api_info())


class PictureInput(gr.Image):
    """gr.Image that hands over the file's path untouched.

    gr.Image opens the file itself, and what it says of a broken one is not for visitors.
    """

    is_template = True

    def preprocess(self, payload: ImageData | None) -> Any:
        """The path of the uploaded file, None where there is none."""
        return payload.path if payload else None

    def api_info(self) -> dict[str, Any]:
        """As its parent's, described."""
        return _described(self, super().api_info())
