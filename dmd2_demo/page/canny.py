"""The tab that follows the edges of a picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
from PIL import Image

from dmd2_demo.generate.requests import CannyGuided
from dmd2_demo.generate.upload import open_picture
from dmd2_demo.page import controls
from dmd2_demo.page.house import House
from dmd2_demo.page.inputs import Slider
from dmd2_demo.page.picture_input import PictureInput
from dmd2_demo.page.runner import Runner, Shown, said


def tab(runner: Runner, house: House) -> gr.events.Dependency:
    """Lays out the tab and its endpoint `/canny`."""
    family = runner.studio.family
    with gr.Tab("Canny"):
        with gr.Row():
            with gr.Column(scale=5):
                with gr.Row():
                    image = PictureInput(
                        label="Picture",
                        type="filepath",
                        image_mode=None,
                        sources=["upload", "clipboard", "webcam"],
                        height=220,
                        min_width=140,
                    )
                    edges = gr.Image(
                        label="Edges",
                        format="png",
                        interactive=False,
                        height=220,
                        min_width=140,
                        buttons=["fullscreen"],
                    )
                with gr.Row():
                    low = Slider(0, 500, 100, step=1, label="Low threshold", min_width=140)
                    high = Slider(0, 500, 200, step=1, label="High threshold", min_width=140)
                is_edge_map = gr.Checkbox(False, label="The picture is an edge map already")
                prompt = controls.prompt_box((family.canny_examples or family.examples)[0])
                with gr.Row():
                    scale = Slider(0, 2, 0.8, step=0.05, label="Conditioning", min_width=140)
                    guided = Slider(0, 4, family.guided_steps, step=1, label="Guided steps of 4", min_width=140)
                seed, images = controls.seed_row()
                actions = controls.actions()
                spec = CannyGuided(family=family, prompt="any", image=Image.new("RGB", (1, 1))).spec()
                controls.announcement(lambda: house.downloads(spec), [])
            with gr.Column(scale=7):
                shown = controls.results()
        if family.canny_examples:
            controls.examples(
                [[str(example.image), example.prompt] for example in family.canny_examples], [image, prompt]
            )

    def request_of(path: str | None, prompt: str, **values: Any) -> CannyGuided:
        return CannyGuided(family=family, prompt=prompt, image=open_picture(path), **values)

    def preview(path: str | None, low: int, high: int, is_edge_map: bool) -> Image.Image | None:
        if path is None:
            return None
        with said():
            return runner.studio.edges(
                request_of(path, "edges", low_threshold=low, high_threshold=high, is_edge_map=is_edge_map)
            )

    gr.on(
        [image.change, low.change, high.change, is_edge_map.change],
        preview,
        [image, low, high, is_edge_map],
        edges,
        # While a slider moves only its last place matters.
        trigger_mode="always_last",
        concurrency_limit=2,
        **controls.PRIVATE,
    )

    def canny(
        image: str,
        prompt: str,
        low_threshold: int,
        high_threshold: int,
        conditioning_scale: float,
        guided_steps: int,
        seed: int,
        randomize_seed: bool,
        images: int,
        is_edge_map: bool,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - how Gradio finds it
    ) -> Iterator[Shown]:
        """Pictures from a prompt and another picture's edges, in 4 steps."""

        def build(seed: int) -> CannyGuided:
            return request_of(
                image,
                prompt,
                low_threshold=low_threshold,
                high_threshold=high_threshold,
                is_edge_map=is_edge_map,
                conditioning_scale=conditioning_scale,
                guided_steps=guided_steps,
                seed=seed,
                images=images,
            )

        yield from runner.run(build, seed, randomize_seed, request.session_hash, progress)

    inputs = [image, prompt, low, high, scale, guided, seed.seed, seed.randomize, images, is_edge_map]
    return controls.on_generate(actions, prompt, canny, inputs, shown, seed, runner.stop_of, "canny")
