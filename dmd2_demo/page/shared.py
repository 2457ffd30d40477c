"""The controls that tabs share: one prompt, one picture to start from, one size, one seed, one number of pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import gcd
from typing import Any

import gradio as gr
from gradio.components import Component

from dmd2_demo.generate.request import RANDOM_SEED, FreelySized
from dmd2_demo.generate.requests import CannyGuided
from dmd2_demo.models.family import Family, Sizes, StyleLora
from dmd2_demo.page import styles
from dmd2_demo.page.events import PRIVATE
from dmd2_demo.page.form import component
from dmd2_demo.page.styles import Find

BESIDE: dict[str, Any] = {"height": 220, "min_width": 140}
"""How pictures look in the picture's row."""

_OWN_SIZE = "Own size"

# The number -1 is shown as a word; see theme.py.
_MARK_RANDOM = f"(seed) => document.querySelector('#seed').classList.toggle('random', seed === {RANDOM_SEED})"


@dataclass(frozen=True)
class Shared:
    """The components by the request field that they set, what shows the size, and the row of the picture.

    `find_style` tells which style a component's value means.
    """

    fields: dict[str, Component]
    size: Size
    picture: PictureRow
    find_style: Find


@dataclass(frozen=True)
class PictureRow:
    """Where the picture stands that some tabs start from, with room for what a tab shows beside it."""

    row: gr.Row
    picture: Component


@dataclass(frozen=True)
class Size:
    """The size's own controls: all of them, the presets by their labels, and the row for own numbers."""

    group: gr.Column
    preset: gr.Dropdown
    own: gr.Row
    presets: Mapping[str, tuple[int, int]]

    def shown(self, width: int, height: int) -> tuple[gr.Dropdown, gr.Row]:
        """Updates of preset and row for that size."""
        labels = {size: label for label, size in self.presets.items()}
        label = labels.get((width, height), _OWN_SIZE)
        return gr.Dropdown(value=label), gr.Row(visible=label == _OWN_SIZE)


def prompt_box(family: Family) -> Any:
    """Where the visitor writes; Enter generates, Shift+Enter starts a new line."""
    look: dict[str, Any] = {"placeholder": family.examples[0].prompt, "lines": 1, "max_lines": 8, "autofocus": True}
    return component(FreelySized, "prompt", family, elem_id="prompt", **look)


def picture_row(family: Family) -> PictureRow:
    """Where the visitor puts a picture; hidden until a tab needs one."""
    with gr.Row(visible=False, elem_id="picture") as row:
        return PictureRow(row, component(CannyGuided, "image", family, **BESIDE))


def controls(
    family: Family,
    page: gr.Blocks,
    prompt: Component,
    picture: PictureRow,
    seed_used: Component,
    custom_style: Callable[[str], StyleLora] | None = None,
) -> Shared:
    """Styles, size, seed and number of pictures, below the tabs."""
    fields: dict[str, Component] = {"prompt": prompt, "image": picture.picture}
    find = styles.finder(family, custom_style)
    fields |= styles.controls(family, prompt, find, custom=custom_style is not None)
    fields["width"], fields["height"], size = _size(family)
    with gr.Row(equal_height=True):
        seed = fields["seed"] = component(FreelySized, "seed", family, elem_id="seed", min_width=130, scale=3)
        with gr.Column(scale=1, min_width=90):
            dice = gr.Button("Random", size="sm", min_width=60)
            reuse = gr.Button("Reuse", size="sm", min_width=60)
        fields["images"] = component(FreelySized, "images", family, min_width=80, scale=2)
    with gr.Accordion("More", open=False):
        for name in ("file_format", "settings_inside"):
            fields[name] = component(FreelySized, name, family)
        if family.tiny_vae is not None:
            fields["tiny_vae"] = component(FreelySized, "tiny_vae", family)
        fields["plain_prompt"] = component(FreelySized, "plain_prompt", family)
    dice.click(None, None, seed, js=f"() => {RANDOM_SEED}", **PRIVATE)
    reuse.click(None, seed_used, seed, js=f"(used) => used ?? {RANDOM_SEED}", **PRIVATE)
    gr.on([seed.change, page.load], None, seed, None, js=_MARK_RANDOM, **PRIVATE)
    return Shared(fields, size, picture, find)


def _size(family: Family) -> tuple[Any, Any, Size]:
    """Presets by aspect, and own numbers."""
    presets = _presets(family.sizes)
    with gr.Column() as group:
        preset = gr.Dropdown([*presets, _OWN_SIZE], value=next(iter(presets)), label="Size", min_width=160)
        with gr.Row(visible=False) as own:
            width, height = (component(FreelySized, name, family, min_width=80) for name in ("width", "height"))
            swap = gr.Button("Swap", size="sm", min_width=60)

    def choose(label: object) -> tuple[object, object, object]:
        if not isinstance(label, str) or label not in presets:
            return gr.skip(), gr.skip(), gr.Row(visible=True)
        return *presets[label], gr.Row(visible=False)

    preset.input(choose, preset, [width, height, own], queue=False, **PRIVATE)
    swap.click(None, [width, height], [width, height], js="(width, height) => [height, width]", **PRIVATE)
    return width, height, Size(group, preset, own, presets)


def _presets(sizes: Sizes) -> dict[str, tuple[int, int]]:
    return {f"{_aspect(width, height)} · {width} × {height}": (width, height) for width, height in sizes.buckets}


def _aspect(width: int, height: int) -> str:
    shared = gcd(width, height)
    return f"{width // shared}:{height // shared}"
