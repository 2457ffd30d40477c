"""How events of the page are wired."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

# Events that only move things on the page: no spinner, not part of the API.
PRIVATE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

# All that use the device wait in the manager's line, not in Gradio's queue: there downloads would hold up those who
# compute, and order would be by requests, not by visitors.
MOST_AT_ONCE = 64
ON_DEVICE: dict[str, Any] = {"concurrency_id": "device", "concurrency_limit": MOST_AT_ONCE}

_LONGEST_CHOICE = 500  # letters: a repository and a file in it


def on_other_choice(choice: Any, suggest: Callable[..., Any], inputs: list[Any], output: Any) -> None:
    """Fills `output` with what `suggest` says of `inputs` once a visitor makes another `choice`.

    Gradio calls it input also when a dropdown is merely left, and then `output` must stay as the visitor set it.
    """
    if not isinstance(choice, gr.Dropdown):
        choice.input(suggest, inputs, output, queue=False, **PRIVATE)
        return
    seen = gr.State()

    def kept(value: object) -> str | None:
        """For each session, so no more than can be a choice."""
        return value if isinstance(value, str) and len(value) <= _LONGEST_CHOICE else None

    choice.focus(kept, choice, seen, queue=False, **PRIVATE)

    def chosen(value: object, before: object, *more: Any) -> list[Any]:
        return [gr.skip(), gr.skip()] if value == before else [suggest(*more), value]

    choice.input(chosen, [choice, seen, *inputs], [output, seen], queue=False, **PRIVATE)
