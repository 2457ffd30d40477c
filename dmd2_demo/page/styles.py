"""The controls of style LoRAs, which the tabs share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.components import Component

from dmd2_demo.generate.requests import TextToImage
from dmd2_demo.generate.styled import SLOTS
from dmd2_demo.models.family import Family, StyleLora
from dmd2_demo.page.events import PRIVATE, on_other_choice
from dmd2_demo.page.form import component
from dmd2_demo.page.plain import licence_line

# The words are added once, whatever is clicked.
_ADD = """(prompt, chip) => {
    const words = chip.replace(/^\\+ /, "");
    return prompt.includes(words) ? prompt : [prompt.trim(), words].filter(Boolean).join(", ");
}"""

Find = Callable[[object], StyleLora | None]
"""The style that a component's value means; None for none. DemoError where it means nothing."""


def finder(family: Family, custom: Callable[[str], StyleLora] | None) -> Find:
    """Finds the family's own styles and, where visitors may name others, those."""
    known = {name for style in family.styles for name in (style.name, style.file.stem)}

    def find(name: object) -> StyleLora | None:
        if name is None or name == "":
            return None
        return custom(name) if custom and isinstance(name, str) and name not in known else family.style(name)

    return find


def controls(family: Family, prompt: Component, find: Find, *, custom: bool) -> dict[str, Component]:
    """Lays them out, where there is a style to choose. `custom`: whether visitors may name others.

    Gives the components by the request field that they set.
    """
    fields: dict[str, Component] = {}
    if not family.styles and not custom:
        return fields
    with gr.Accordion("Style LoRAs", open=False):
        if custom:
            gr.Markdown(
                "Also any public style LoRA for SDXL: owner/name, or owner/name/file.safetensors.",
                elem_classes="status",
            )
        for slot in SLOTS:
            with gr.Row():
                name = component(TextToImage, slot, family, min_width=140, allow_custom_value=custom)
                scale = component(TextToImage, f"{slot}_scale", family, min_width=140)
            chip = gr.Button("", visible=False, size="sm", elem_classes="chip")
            told = gr.Markdown(visible=False, elem_classes="status")
            fields |= {slot: name, f"{slot}_scale": scale}
            _connect(find, name, scale, chip, told)
            chip.click(None, [prompt, chip], prompt, js=_ADD, **PRIVATE)
    return fields


def _connect(find: Find, name: Any, scale: Any, chip: gr.Button, told: gr.Markdown) -> None:
    def suggested(chosen: object) -> Any:
        style = find(chosen)
        return style.scale if style else gr.skip()

    def shown(chosen: object) -> tuple[gr.Button, gr.Markdown]:
        style = find(chosen)
        triggers = ", ".join(style.triggers) if style else ""
        line = licence_line(style) if style else ""
        return gr.Button(f"+ {triggers}", visible=bool(triggers)), gr.Markdown(line, visible=bool(line))

    # Settings from elsewhere bring a scale of their own, which must stay.
    on_other_choice(name, suggested, [name], scale)
    name.change(shown, name, [chip, told], queue=False, **PRIVATE)
