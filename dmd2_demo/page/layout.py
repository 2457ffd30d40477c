"""The page, from top to bottom."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from dmd2_demo.generate.studio import Studio
from dmd2_demo.models.family import Family
from dmd2_demo.page import (
    canny,
    compare,
    examples,
    giving,
    history,
    image_to_image,
    inspect,
    keys,
    labels,
    live,
    loaded,
    lora,
    morph,
    returning,
    share,
    shared,
    sheet,
    sheet_view,
    text_to_image,
    token_count,
    variations,
    welcome,
    words,
)
from dmd2_demo.page.context import PageContext
from dmd2_demo.page.events import PRIVATE
from dmd2_demo.page.filling import Filling
from dmd2_demo.page.jobs import Jobs
from dmd2_demo.page.results import describe, results
from dmd2_demo.page.runner import Runner
from dmd2_demo.page.served import ServedBlocks
from dmd2_demo.page.tabs import Tab, TabContext, on_generate, show_what_applies
from dmd2_demo.page.uploads import KEPT


def build(studio: Studio, context: PageContext) -> ServedBlocks:
    """The whole page. Nothing is loaded by building it."""
    jobs = Jobs(counted=context.counted)
    runner, family = Runner(studio, jobs), studio.family
    # Uploads and pictures older than a day are removed from Gradio's cache once an hour.
    page: ServedBlocks
    with ServedBlocks(context.limits, jobs, title="DMD2", analytics_enabled=False, delete_cache=(3600, KEPT)) as page:
        gr.HTML(_header(family, context), elem_id="header", padding=False)
        with gr.Row(elem_id="main"):
            with gr.Column(scale=5, elem_id="controls"):
                prompt, tokens, live_switch = _ask(family, context)
                actions = keys.actions()
                picture = shared.picture_row(family)
                tabs_place = gr.Tabs()
                controls_place = gr.Column()
            with gr.Column(scale=7, elem_id="results"):
                live_view = live.view(family)
                shown = results(family.examples[0].picture)
                actions_place = gr.Row()
                sheet_shown = sheet_view.view()
                kept = history.strip(family)
                compared = compare.comparison(morphs=context.quota is None)
        with controls_place:
            words.chips(page, studio.vocabulary)
            controls = shared.controls(family, page, prompt, picture, shown.seed_used, context.custom_style)
        token_count.connect(page, family, prompt, controls.fields["plain_prompt"], tokens)
        tab_context = TabContext(runner, context, controls, shown)
        tabs = _tabs(tabs_place, tab_context)
        with controls_place:
            rows = [examples.row(tab, visible=tab is tabs[0]) for tab in tabs]
        show_what_applies(tabs, [row.group for row in rows], controls)
        filling = Filling(tabs_place, tabs, controls, family)
        with controls_place:
            sheet_controls = sheet.controls(tabs, context.most_cells)
            inspect.panel(filling, sheet_controls, sheet_shown)
        others_shown = [
            sheet_view.connect(sheet_shown, filling, shown, compared),
            *examples.connect(rows, filling, shown),
        ]
        with shown.details:
            sharing = share.buttons()
        share.connect(page, sharing, shown.parameters, filling, studio.understood)
        welcome.connect(page, prompt, family.examples[0])
        refresh_after = loaded.panel(context.status, context.unload)
        made = [on_generate(tab_context, tab) for tab in tabs]
        with actions_place:
            made += variations.buttons(tab_context)
            made += live.connect(page, tab_context, tabs, sheet_controls.task, live_switch, live_view)
        for event in made:
            event.then(describe, shown.parameters, shown.status, queue=False, **PRIVATE)
        events = [
            *made,
            compare.connect(compared, kept.every_steps, shown, filling, runner),
            morph.connect(compared.morph, compared.settings, filling, runner),
            history.connect(page, kept, shown, filling, compared, runner, made, others_shown),
            sheet.on_make(tab_context, tabs, sheet_controls, sheet_shown, context.most_cells),
        ]
        for event in events:
            refresh_after(event)
        keys.connect(page, prompt, actions, events, runner.stop_of)
        labels.connect(page)
        giving.connect()
        returning.connect(page, jobs, shown)
    return page


def _tabs(place: gr.Tabs, context: TabContext) -> list[Tab]:
    with place:
        return [lay_out(context) for lay_out in (text_to_image.tab, lora.tab, canny.tab, image_to_image.tab)]


def _ask(family: Family, context: PageContext) -> tuple[Any, gr.Markdown, gr.Checkbox | None]:
    """Where the visitor writes, what counts the tokens, and the switch of live."""
    with gr.Column(elem_id="ask"):
        prompt = shared.prompt_box(family)
        tokens = gr.Markdown(elem_id="tokens", elem_classes="status")
        return prompt, tokens, live.switch(context)


def _header(family: Family, context: PageContext) -> str:
    licence = family.licence
    note = f", {escape(licence.note)}" if licence.note else ""
    return (
        # Blown up further, pixels show.
        f"<style>:root {{ --largest-shown: {3 * family.sizes.default[0]}px; }}</style>"
        "<h1>DMD2</h1>"
        f'<span class="facts"><b>{escape(family.title)}</b>: {escape(family.about)} · {escape(context.device)} · '
        f'licence <a href="{escape(licence.url)}" target="_blank" rel="noopener">{escape(licence.name)}</a>{note}'
        "</span>" + (f'<span class="facts">{escape(context.notice)}</span>' if context.notice else "")
    )
