"""The tab that turns words into pictures."""

from __future__ import annotations

from dmd2_demo.generate.requests import TextToImage
from dmd2_demo.page import tabs
from dmd2_demo.page.tabs import Tab, TabContext


def tab(context: TabContext) -> Tab:
    """Lays out the tab."""
    family = context.family
    form = context.form(TextToImage)
    with tabs.opened("Text to image", TextToImage) as tab:
        steps = form.add("steps")
        tabs.announcement(
            lambda chosen, *styles: context.page.downloads(
                TextToImage.blank(family, steps=chosen, **context.chosen_styles(*styles)).spec()
            ),
            [steps, *context.style_inputs],
        )
    return Tab(tab, form, family.examples)
