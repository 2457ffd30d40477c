"""The tab that makes community bases fast with DMD2's LoRA."""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr

from dmd2_demo.generate.bases import custom
from dmd2_demo.generate.requests import LARGEST_LORA_SCALE, CommunityLora
from dmd2_demo.models.family import CommunityBase
from dmd2_demo.models.parts import PipelineSpec
from dmd2_demo.page import controls
from dmd2_demo.page.house import House
from dmd2_demo.page.inputs import Dropdown, Slider
from dmd2_demo.page.runner import Runner, Shown, said


def tab(runner: Runner, house: House) -> gr.events.Dependency:
    """Lays out the tab and its endpoint `/lora`."""
    family = runner.studio.family
    first = family.bases[0]
    width, height = family.sizes.default

    def chosen_base(name: str) -> CommunityBase:
        known = any(name == base.name for base in family.bases)
        return custom(name) if house.custom_bases and not known else family.community(name)

    def spec(name: str) -> PipelineSpec:
        chosen = chosen_base(name)
        return CommunityLora(
            family=family, prompt="any", width=width, height=height, base=chosen, lora_scale=chosen.scale
        ).spec()

    with gr.Tab("LoRA"):
        with gr.Row():
            with gr.Column(scale=5):
                prompt = controls.prompt_box(family.lora_examples[0])
                base = Dropdown(
                    [(base.title, base.name) for base in family.bases],
                    value=first.name,
                    label="Base",
                    info="or any public SDXL repository: owner/name" if house.custom_bases else None,
                    allow_custom_value=house.custom_bases,
                )
                licence = gr.Markdown(_licence(first), elem_classes="status")
                scale = Slider(0, LARGEST_LORA_SCALE, first.scale, step=0.05, label="LoRA scale")
                size = controls.size_controls(family.sizes)
                seed, images = controls.seed_row()
                actions = controls.actions()
                controls.announcement(lambda name: house.downloads(spec(name)), [base])
            with gr.Column(scale=7):
                shown = controls.results()
        controls.examples([[example.prompt, example.base] for example in family.lora_examples], [prompt, base])

    def picked(name: str) -> tuple[float, str]:
        with said():
            chosen = chosen_base(name)
        return chosen.scale, _licence(chosen)

    # Also when an example picks the base.
    base.change(picked, base, [scale, licence], queue=False, **controls.PRIVATE)

    def lora(
        prompt: str,
        base: str,
        lora_scale: float,
        seed: int,
        randomize_seed: bool,
        width: int,
        height: int,
        images: int,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - how Gradio finds it
    ) -> Iterator[Shown]:
        """Pictures from a prompt by a community base with DMD2's LoRA, in 4 steps."""

        def build(seed: int) -> CommunityLora:
            return CommunityLora(
                family=family,
                prompt=prompt,
                base=chosen_base(base),
                lora_scale=lora_scale,
                seed=seed,
                images=images,
                width=width,
                height=height,
            )

        yield from runner.run(build, seed, randomize_seed, request.session_hash, progress)

    inputs = [prompt, base, scale, seed.seed, seed.randomize, size.width, size.height, images]
    return controls.on_generate(actions, prompt, lora, inputs, shown, seed, runner.stop_of, "lora")


def _licence(base: CommunityBase) -> str:
    note = f", {base.licence.note}" if base.licence.note else ""
    return f"Licence: [{base.licence.name}]({base.licence.url}){note} · suggested scale {base.scale:g}"
