"""The controls that all tabs share: one prompt, one size, one seed, one number of pictures."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import Any

import gradio as gr
from gradio.components import Component

from dmd2_demo.generate.requests import RANDOM_SEED, FreelySized
from dmd2_demo.models.family import Family, Sizes
from dmd2_demo.page.events import PRIVATE
from dmd2_demo.page.form import component

_OWN_SIZE = "Own size"

# The number -1 is shown as a word; see theme.py.
_MARK_RANDOM = f"(seed) => document.querySelector('#seed').classList.toggle('random', seed === {RANDOM_SEED})"


@dataclass(frozen=True)
class Shared:
    """The components by the request field that they set, and the group of those for the size."""

    fields: dict[str, Component]
    size: gr.Column


def prompt_box(family: Family) -> Any:
    """Where the visitor writes; Enter generates, Shift+Enter starts a new line."""
    look: dict[str, Any] = {"placeholder": family.examples[0].prompt, "lines": 1, "max_lines": 8, "autofocus": True}
    return component(FreelySized, "prompt", family, elem_id="prompt", **look)


def controls(family: Family, page: gr.Blocks, prompt: Component, seed_used: Component) -> Shared:
    """Size, seed and number of pictures, below the tabs."""
    fields: dict[str, Component] = {"prompt": prompt}
    with gr.Column() as size:
        fields["width"], fields["height"] = _size(family)
    with gr.Row(equal_height=True):
        seed = fields["seed"] = component(FreelySized, "seed", family, elem_id="seed", min_width=130, scale=3)
        with gr.Column(scale=1, min_width=90):
            dice = gr.Button("Random", size="sm", min_width=60)
            reuse = gr.Button("Reuse", size="sm", min_width=60)
        fields["images"] = component(FreelySized, "images", family, min_width=80, scale=2)
    dice.click(None, None, seed, js=f"() => {RANDOM_SEED}", **PRIVATE)
    reuse.click(None, seed_used, seed, js=f"(used) => used ?? {RANDOM_SEED}", **PRIVATE)
    gr.on([seed.change, page.load], None, seed, None, js=_MARK_RANDOM, **PRIVATE)
    return Shared(fields, size)


def _size(family: Family) -> tuple[Any, Any]:
    """Presets by aspect, and own numbers."""
    sizes = family.sizes
    presets = _presets(sizes)
    labels = {size: label for label, size in presets.items()}
    preset = gr.Dropdown([*presets, _OWN_SIZE], value=labels[sizes.default], label="Size", min_width=160)
    with gr.Row(visible=False) as own:
        width, height = (component(FreelySized, name, family, min_width=80) for name in ("width", "height"))
        swap = gr.Button("Swap", size="sm", min_width=60)

    def choose(label: object) -> tuple[object, object, object]:
        if not isinstance(label, str) or label not in presets:
            return gr.skip(), gr.skip(), gr.Row(visible=True)
        return *presets[label], gr.Row(visible=False)

    preset.input(choose, preset, [width, height, own], queue=False, **PRIVATE)
    swap.click(None, [width, height], [width, height], js="(width, height) => [height, width]", **PRIVATE)
    return width, height


def _presets(sizes: Sizes) -> dict[str, tuple[int, int]]:
    return {f"{_aspect(width, height)} · {width} × {height}": (width, height) for width, height in sizes.buckets}


def _aspect(width: int, height: int) -> str:
    shared = gcd(width, height)
    return f"{width // shared}:{height // shared}"
