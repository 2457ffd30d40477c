"""The tab that follows the edges of a picture."""

from __future__ import annotations

from typing import Any

import gradio as gr
from PIL import Image

from dmd2_demo.generate.requests import CannyGuided
from dmd2_demo.generate.upload import open_picture
from dmd2_demo.page import shared, tabs
from dmd2_demo.page.events import PRIVATE
from dmd2_demo.page.form import Form
from dmd2_demo.page.plain import plain
from dmd2_demo.page.tabs import Tab, TabContext


def tab(context: TabContext) -> Tab:
    """Lays out the tab."""
    family = context.family
    form = context.form(CannyGuided, image=open_picture)
    with context.shared.picture.row, gr.Column(visible=False, min_width=140) as beside:
        edges = gr.Image(label="Edges", format="png", interactive=False, buttons=["fullscreen"], **shared.BESIDE)
    with tabs.opened("Canny", CannyGuided) as tab:
        said = gr.Markdown(visible=False, elem_classes="status")
        with gr.Row():
            form.add("low_threshold", min_width=140)
            form.add("high_threshold", min_width=140)
        form.add("is_edge_map")
        with gr.Row():
            form.add("conditioning_scale", min_width=140)
            form.add("guided_steps", min_width=140)
    _preview(form, edges, said)
    return Tab(tab, form, family.canny_examples, beside=beside)


def _preview(form: Form, edges: gr.Image, said: gr.Markdown) -> None:
    """Keeps the map, and what is to say about it, up with what decides it."""
    deciding: dict[str, Any] = {
        name: form.components[name] for name in ("image", "low_threshold", "high_threshold", "is_edge_map")
    }

    def preview(**values: Any) -> tuple[Image.Image | None, gr.Markdown]:
        found = None if values["image"] is None else form.build({**values, "prompt": "edges"}).edges()
        if found is None:
            return None, gr.Markdown(visible=False)
        return found.image, gr.Markdown(plain(" ".join(found.notices)), visible=bool(found.notices))

    gr.on(
        [component.change for component in deciding.values()],
        preview,
        None,
        [edges, said],
        inputs_kwargs=deciding,
        # While a slider moves only its last place matters.
        trigger_mode="always_last",
        concurrency_limit=2,
        **PRIVATE,
    )
