"""The tab that makes community bases fast with DMD2's LoRA."""

from __future__ import annotations

from typing import Any

import gradio as gr

from dmd2_demo.generate.requests import CommunityLora
from dmd2_demo.models.family import CommunityBase
from dmd2_demo.page import tabs
from dmd2_demo.page.events import PRIVATE, on_other_choice
from dmd2_demo.page.plain import licence_line
from dmd2_demo.page.tabs import Tab, TabContext


def tab(context: TabContext) -> Tab:
    """Lays out the tab."""
    family, custom = context.family, context.page.custom_base

    def chosen_base(name: object) -> CommunityBase:
        known = any(name == base.name for base in family.bases)
        return custom(name) if custom and not known and isinstance(name, str) else family.community(name)

    def with_scale(values: dict[str, Any]) -> dict[str, Any]:
        return {"lora_scale": chosen_base(values["base"]).scale, **values} if "base" in values else values

    form = context.form(CommunityLora, base=chosen_base)
    with tabs.opened("LoRA", CommunityLora) as tab:
        base = form.add(
            "base",
            info="Also any public SDXL repository: owner/name" if custom else None,
            **({"allow_custom_value": True} if custom else {}),
        )
        licence = gr.Markdown(licence_line(family.bases[0]), elem_classes="status")
        scale = form.add("lora_scale")
        # Settings from elsewhere bring a scale of their own, which must stay.
        on_other_choice(base, lambda name: chosen_base(name).scale, [base], scale)
    base.change(lambda name: licence_line(chosen_base(name)), base, licence, queue=False, **PRIVATE)
    return Tab(tab, form, family.lora_examples, with_scale)
