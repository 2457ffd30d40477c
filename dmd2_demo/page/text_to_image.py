"""The tab that turns words into pictures."""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr

from dmd2_demo.generate.requests import TextToImage
from dmd2_demo.models.parts import PipelineSpec
from dmd2_demo.models.vocabulary import Vocabulary
from dmd2_demo.page import controls
from dmd2_demo.page.house import House
from dmd2_demo.page.inputs import Radio
from dmd2_demo.page.runner import Runner, Shown


def tab(runner: Runner, house: House) -> gr.events.Dependency:
    """Lays out the tab and its endpoint `/text_to_image`."""
    family = runner.studio.family
    steps = [len(distilled.schedule) for distilled in family.distilled]
    width, height = family.sizes.default

    def spec(steps: int) -> PipelineSpec:
        return TextToImage(family=family, prompt="any", width=width, height=height, steps=steps).spec()

    with gr.Tab("Text to image"):
        with gr.Row():
            with gr.Column(scale=5):
                prompt = controls.prompt_box(family.examples[0])
                with gr.Row(equal_height=True):
                    step_choice = Radio(sorted(steps), value=max(steps), label="Steps", min_width=120)
                    size = controls.size_controls(family.sizes)
                seed, images = controls.seed_row()
                actions = controls.actions()
                controls.announcement(lambda steps: house.downloads(spec(steps)), [step_choice])
            with gr.Column(scale=7):
                shown = controls.results()
        controls.examples([[example.prompt] for example in family.examples], [prompt])
        if runner.studio.vocabulary:
            with gr.Accordion("What this family can draw", open=False):
                gr.Markdown(_words(runner.studio.vocabulary))

    def text_to_image(
        prompt: str,
        steps: int,
        seed: int,
        randomize_seed: bool,
        width: int,
        height: int,
        images: int,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - how Gradio finds it
    ) -> Iterator[Shown]:
        """Pictures from a prompt in 1 or 4 steps."""

        def build(seed: int) -> TextToImage:
            return TextToImage(
                family=family, prompt=prompt, steps=steps, seed=seed, images=images, width=width, height=height
            )

        yield from runner.run(build, seed, randomize_seed, request.session_hash, progress)

    inputs = [prompt, step_choice, seed.seed, seed.randomize, size.width, size.height, images]
    return controls.on_generate(actions, prompt, text_to_image, inputs, shown, seed, runner.stop_of, "text_to_image")


def _words(vocabulary: Vocabulary) -> str:
    lists = {"things": vocabulary.things, "styles": vocabulary.styles, "backgrounds": vocabulary.colours}
    return "\n\n".join(f"**{name.capitalize()}**: {', '.join(words)}" for name, words in lists.items())
