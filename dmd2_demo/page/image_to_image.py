"""The tab that makes a picture from another."""

from __future__ import annotations

import gradio as gr

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.image_to_image import ImageToImage
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.upload import open_picture
from dmd2_demo.page import tabs
from dmd2_demo.page.events import PRIVATE
from dmd2_demo.page.tabs import Tab, TabContext


def tab(context: TabContext) -> Tab:
    """Lays out the tab."""
    form = context.form(ImageToImage, image=open_picture)
    with tabs.opened("Image to image", ImageToImage) as tab:
        strength = form.add("strength")
        runs = gr.Markdown(_runs(form.blank({})), elem_classes="status")
        form.add("upscale")
        # For programs: the page has nothing to choose from.
        form.add("steps", visible=False)

    def told(strength: object) -> str:
        try:
            return _runs(form.blank({"strength": strength}))
        except DemoError:
            return ""

    strength.change(told, strength, runs, queue=False, **PRIVATE)
    return Tab(tab, form, ())


def _runs(request: Request) -> str:
    ran, whole = len(request.schedule), request.parameters()["steps"]
    return f"Runs {ran} of {whole} steps."
