"""What a picture's parts take, and the whole beside the model card's recipe, with the embedded family.

python -m bench.parts [--pairs 20]

Ours and the recipe make the same pictures in turn, from the same seeds, each in a process of its own, as a page and a
script are; how far their pixels differ is told beside the times. So are the recipe's, four pictures in one call and in
four. The prompt repeats, as it does for who tries seeds.
CPU seconds are those of all threads: they tell more than the clock where others have part of the machine.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from PIL import Image

from bench import card
from dmd2_demo.generate import decode
from dmd2_demo.generate.metadata.formats import PNG
from dmd2_demo.generate.requests import TextToImage
from dmd2_demo.process import keep_freed_memory
from dmd2_demo.progress import silent
from tests import recipes
from tests.embedded import FAMILY, PROMPT, EmbeddedRuntime, text

SIZE = FAMILY.sizes.default


def timed(action: Callable[[], Any]) -> tuple[float, float, Any]:
    """Milliseconds by the clock and of the CPU, and what came of it."""
    clock, cpu = time.perf_counter(), time.process_time()
    made = action()
    return 1000 * (time.perf_counter() - clock), 1000 * (time.process_time() - cpu), made


def row(name: str, action: Callable[[], object], runs: int) -> None:
    """The medians of some runs after one that warms up."""
    action()
    clock, cpu = (median(times) for times in zip(*(timed(action)[:2] for _ in range(runs)), strict=True))
    print(f"| {name} | {clock:.2f} | {cpu:.2f} |", flush=True)


@torch.no_grad()
def parts(runtime: EmbeddedRuntime, runs: int) -> None:
    """A row for each part."""
    print("| part | ms | CPU ms |\n|---|---|---|")
    request = text(steps=1)
    with runtime.manager.lease(request.spec(), silent) as pipeline:
        pipe = pipeline.diffusers
        embeds, _, pooled, _ = pipe.encode_prompt(PROMPT, do_classifier_free_guidance=False)
        latents = torch.randn(1, 4, SIZE[1] // 8, SIZE[0] // 8, generator=torch.Generator().manual_seed(0))
        added = {"text_embeds": pooled, "time_ids": torch.tensor([[*SIZE[::-1], 0, 0, *SIZE[::-1]]])}
        row("text encoders", lambda: pipe.encode_prompt(PROMPT, do_classifier_free_guidance=False), runs)
        row("UNet, a step", lambda: pipe.unet(latents, 399, embeds, added_cond_kwargs=added), runs)
        pixels = pipe.vae.decode(latents, return_dict=False)[0]
        row("VAE", lambda: pipe.vae.decode(latents), runs)
        row("decode check and conversion", lambda: (decode._shows(pixels), decode._image(pixels)), runs)  # noqa: SLF001
        image = decode.decode(pipe.vae, latents).image
    row("tiny VAE, whole picture of 1 step", lambda: runtime.make(text(steps=1, tiny_vae=True)), runs)
    settings = PNG.with_settings(request.parameters())
    row("encode to PNG with settings", lambda: image.save(io.BytesIO(), "PNG", **settings), runs)


@cache
def the_recipe(steps: int) -> Any:
    """The card's pipeline, loaded once."""
    return recipes.CARD.text_to_image(steps)


def by_the_recipe(steps: int, seed: int) -> tuple[float, float, Image.Image]:
    """As `timed`."""
    recipe = the_recipe(steps)
    return timed(lambda: card.picture(recipe, PROMPT, seed, steps, width=SIZE[0], height=SIZE[1]))


def beside_the_recipe(runtime: EmbeddedRuntime, steps: int, pairs: int) -> None:
    """A row for pictures of so many steps."""

    def ours(seed: int) -> Image.Image:
        return runtime.make(TextToImage(family=FAMILY, prompt=PROMPT, seed=seed, steps=steps))

    times = list[tuple[float, float, float, float]]()
    farthest = 0
    with ProcessPoolExecutor(1, get_context("spawn")) as other:
        ours(0), other.submit(by_the_recipe, steps, 0).result()
        for seed in range(1, pairs + 1):
            one, one_cpu, mine = timed(partial(ours, seed))
            two, two_cpu, card_made = other.submit(by_the_recipe, steps, seed).result()
            times.append((one, two, one_cpu, two_cpu))
            farthest = max(farthest, int(np.abs(np.asarray(mine, int) - np.asarray(card_made, int)).max()))
    one, two, one_cpu, two_cpu = (median(column) for column in zip(*times, strict=True))
    print(
        f"| {steps} | {one:.1f} | {two:.1f} | {two / one:.2f} | {one_cpu:.1f} | {two_cpu:.1f} "
        f"| {two_cpu / one_cpu:.2f} | {farthest} |",
        flush=True,
    )


def in_batches(steps: int, pairs: int) -> None:
    """A row for four pictures of so many steps, made in one call and in four."""
    recipe = the_recipe(steps)
    shape = {"width": SIZE[0], "height": SIZE[1], "timesteps": card.TIMESTEPS[steps]}

    def made(*seeds: int) -> list[Image.Image]:
        generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
        prompts = [PROMPT] * len(seeds)
        return list(recipe(prompts, generator=generators, num_inference_steps=steps, guidance_scale=0, **shape).images)

    def singly(seeds: Iterable[int]) -> list[Image.Image]:
        return [made(seed)[0] for seed in seeds]

    made(0), made(0, 1, 2, 3)
    times = list[tuple[float, float, float, float]]()
    farthest = 0
    for first in range(0, 4 * pairs, 4):
        seeds = range(first, first + 4)
        one, one_cpu, together = timed(partial(made, *seeds))
        two, two_cpu, single = timed(partial(singly, seeds))
        times.append((one, two, one_cpu, two_cpu))
        farthest = max(farthest, int(np.abs(np.stack(together).astype(int) - np.stack(single)).max()))
    one, two, one_cpu, two_cpu = (median(column) for column in zip(*times, strict=True))
    print(
        f"| {steps} | {one:.0f} | {two:.0f} | {two / one:.2f} | {one_cpu:.0f} | {two_cpu:.0f} "
        f"| {two_cpu / one_cpu:.2f} | {farthest} |",
        flush=True,
    )


def main() -> None:
    """Prints three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=20)
    chosen = parser.parse_args()
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        runtime = EmbeddedRuntime.open(Path(folder))
        parts(runtime, chosen.pairs)
        print("\n| steps | ours, ms | recipe, ms | ratio | ours, CPU ms | recipe, CPU ms | ratio | difference of 255 |")
        print("|---|---|---|---|---|---|---|---|")
        for steps in (1, 4):
            beside_the_recipe(runtime, steps, chosen.pairs)
    print("\n| steps | four in one call, ms | in four, ms | ratio | CPU ms | in four | ratio | difference of 255 |")
    print("|---|---|---|---|---|---|---|---|")
    for steps in (1, 4):
        in_batches(steps, chosen.pairs)


if __name__ == "__main__":
    main()
