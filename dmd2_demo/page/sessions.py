"""What the page keeps of each session."""

from __future__ import annotations

from http import HTTPStatus

import fastapi
import gradio as gr
from gradio.state_holder import SessionState, StateHolder

_LONGEST_NAME = 100  # letters; those that are made here have ten or so


class Sessions(StateHolder):
    """Gradio's, but for names that are no session's: it would keep whatever strangers call themselves."""

    def __init__(self, page: gr.Blocks) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.set_blocks(page)

    def __getitem__(self, session_id: str) -> SessionState:
        """As StateHolder's. fastapi.HTTPException where the name is too long."""
        if len(session_id) > _LONGEST_NAME:
            raise fastapi.HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "That is no session of this page.")
        return super().__getitem__(session_id)
