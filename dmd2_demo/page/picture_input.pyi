"""A picture from a visitor, as the file it came in."""


from typing import Any

import gradio as gr
from gradio.data_classes import ImageData

class PictureInput(gr.Image):
    """gr.Image that hands over the file's path untouched.

    gr.Image opens the file itself, and what it says of a broken one is not for visitors.
    """

    is_template = True  # the browser draws it as its parent

    def preprocess(self, payload: ImageData | None) -> Any:
        """The path of the uploaded file, None where there is none."""
        return payload.path if payload else None
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component
