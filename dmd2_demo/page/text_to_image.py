"""The tab that turns words into pictures."""

from __future__ import annotations

from dmd2_demo.generate.requests import TextToImage
from dmd2_demo.page import tabs
from dmd2_demo.page.tabs import Tab, TabContext


def tab(context: TabContext) -> Tab:
    """Lays out the tab."""
    form = context.form(TextToImage)
    with tabs.opened("Text to image", TextToImage) as tab:
        form.add("steps")
    return Tab(tab, form, context.family.examples)
