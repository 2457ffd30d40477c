"""The tab that makes community bases fast with DMD2's LoRA."""

from __future__ import annotations

import gradio as gr

from dmd2_demo.generate.bases import custom
from dmd2_demo.generate.requests import CommunityLora
from dmd2_demo.models.family import CommunityBase
from dmd2_demo.page import tabs
from dmd2_demo.page.events import PRIVATE
from dmd2_demo.page.tabs import Tab, TabContext


def tab(context: TabContext) -> Tab:
    """Lays out the tab."""
    family, open_to_all = context.family, context.page.custom_bases

    def chosen_base(name: object) -> CommunityBase:
        known = any(name == base.name for base in family.bases)
        return custom(name) if open_to_all and not known and isinstance(name, str) else family.community(name)

    def picked(name: object) -> tuple[float, str]:
        chosen = chosen_base(name)
        return chosen.scale, _licence(chosen)

    form = context.form(CommunityLora, base=chosen_base)
    with tabs.opened("LoRA") as tab:
        base = form.add(
            "base",
            info="or any public SDXL repository: owner/name" if open_to_all else None,
            **({"allow_custom_value": True} if open_to_all else {}),
        )
        licence = gr.Markdown(_licence(family.bases[0]), elem_classes="status")
        scale = form.add("lora_scale")
        tabs.announcement(
            lambda name: context.page.downloads(CommunityLora.blank(family, base=chosen_base(name)).spec()), [base]
        )
    # Also when an example picks the base.
    base.change(picked, base, [scale, licence], queue=False, **PRIVATE)
    return Tab(tab, form, ["prompt", "base"], [[example.prompt, example.base] for example in family.lora_examples])


def _licence(base: CommunityBase) -> str:
    note = f", {base.licence.note}" if base.licence.note else ""
    return f"Licence: [{base.licence.name}]({base.licence.url}){note} · suggested scale {base.scale:g}"
