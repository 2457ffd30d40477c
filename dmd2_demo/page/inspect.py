"""Settings from a picture that is dropped on the page, and the endpoint `/inspect`."""

from __future__ import annotations

from typing import Any

import gradio as gr

from dmd2_demo.generate.apart import apart
from dmd2_demo.generate.metadata import reading
from dmd2_demo.generate.sheet import request_settings
from dmd2_demo.generate.styled import offered
from dmd2_demo.generate.tasks import LABELS
from dmd2_demo.page import sheet_view
from dmd2_demo.page.events import PRIVATE
from dmd2_demo.page.filling import Filling, settings_of
from dmd2_demo.page.inputs import PictureInput
from dmd2_demo.page.plain import as_table
from dmd2_demo.page.sheet import SheetControls
from dmd2_demo.page.sheet_view import SheetView


def panel(filling: Filling, sheet: SheetControls, shown: SheetView) -> None:
    """Lays out the panel, inside the page. A contact sheet is opened in `shown`, and its axes are `sheet`'s."""
    with gr.Accordion("Settings from a picture", open=False, elem_id="inspect"):
        picture = PictureInput(
            label="A picture made here, by WebUI, ComfyUI or Fooocus",
            type="filepath",
            image_mode=None,
            sources=["upload", "clipboard"],
            height=160,
        )
        found = gr.JSON(label="Found", visible=False)
        table = gr.HTML(visible=False)
        with gr.Row(visible=False) as uses:
            use_all = gr.Button("Use all", size="sm", variant="primary")
            use_rest = gr.Button("Use all but the seed", size="sm")

    def inspect(image: str | None) -> dict[str, Any] | None:
        """What a picture says it was made with: the tool, settings by the names of this page's, and what is ignored."""
        if image is None:
            return None
        read = apart(reading.read, image)
        styles, others = offered(read.loras, filling.family)
        settings = {**read.settings, **styles}
        restored = filling.restored(settings)
        return {
            "tool": read.tool,
            "settings": settings,
            "ignored": {**read.ignored, **{f"LoRA {name}": f"scale {scale:g}" for name, scale in others.items()}},
            "notices": list(restored.notices),
        }

    def show(found: object) -> list[Any]:
        rows = _rows(found)
        return [gr.HTML(as_table(["Setting", "Value"], rows), visible=bool(rows)), gr.Row(visible=bool(rows))]

    def use(found: object, *, seed: bool) -> list[Any]:
        settings = _settings(found)
        if not seed:
            settings.pop("seed", None)
        restored = filling.restored(request_settings(settings))
        return [*filling.updates(restored), *sheet.updates(settings, restored.tab)]

    def open_sheet(path: str | None, found: object) -> list[Any]:
        settings = _settings(found)
        if path is None or "sheet" not in settings:
            return [gr.skip() for _ in sheet_view.opened_outputs(shown)]
        return sheet_view.opened(path, settings, filling)

    inspected = picture.change(inspect, picture, found, api_name="inspect", show_progress="hidden", concurrency_limit=2)
    # Else what another picture said would still stand there.
    inspected.failure(lambda: None, None, found, queue=False, **PRIVATE)
    found.change(show, found, [table, uses], queue=False, **PRIVATE)
    found.change(open_sheet, [picture, found], sheet_view.opened_outputs(shown), queue=False, **PRIVATE)
    filled = [*filling.outputs, *sheet.axes]
    use_all.click(lambda found: use(found, seed=True), found, filled, queue=False, **PRIVATE)
    use_rest.click(lambda found: use(found, seed=False), found, filled, queue=False, **PRIVATE)


def _settings(found: object) -> dict[str, Any]:
    """The settings in what the browser sends back, which may be anything."""
    return settings_of(found.get("settings")) if isinstance(found, dict) else {}


def _rows(found: object) -> list[list[str]]:
    told = {name: value for name, value in _settings(found).items() if not isinstance(value, dict | list)}
    rows = [[LABELS.get(name, name), f"{value}"[:500]] for name, value in told.items()]
    if isinstance(found, dict) and rows:
        rows = [["made by", str(found.get("tool"))], *rows]
        ignored, notices = found.get("ignored"), found.get("notices")
        if isinstance(ignored, dict):
            rows += [[f"{name} (ignored)", f"{value}"[:500]] for name, value in ignored.items()]
        if isinstance(notices, list):
            rows += [["note", str(notice)] for notice in notices]
    return rows
