"""`python -m bench.full_size --cpu`: all three tabs beside the model card's recipe, in the machine's memory.

Ours is one process that makes pictures in every tab, as a page does; each recipe is a process of its own, and they run
one after the other, so that their memory never adds up. Both have the same files, precision, prompt, seed and size.
"First" is the first picture's time in the pipeline, "warm" the median of the next ones'; what comes before is "load".
Memory is what a process held of its own, and with the pages of files that it maps, which the system can take back.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from bench.card import Card, picture
from bench.host_peak import HostPeak
from bench.random_family import FULL, SMALL, Shape, written
from dmd2_demo.device import precision
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.requests import CannyGuided, CommunityLora, TextToImage
from dmd2_demo.generate.runtime import build_runtime
from dmd2_demo.models.family import Family
from dmd2_demo.process import keep_freed_memory
from dmd2_demo.progress import silent
from dmd2_demo.settings import Settings

SEED = 1
LIMIT = 20e9
"""Bytes of its own that a process may hold."""

_MODELS = 16_000_000_000  # of those, as an operator's --budget; the rest is for the work and the program

TINY = "text, 1 step, tiny VAE"
_RECIPES = {TINY: "text, 1 step"}  # the card has no tiny VAE: it is held against the card's own picture
_COLUMNS = ("request", "who", "load", "first", "warm", "ours is", "pixels differ", "own memory", "with mapped files")


@dataclass(frozen=True)
class Made:
    """What a process tells of one kind of picture: seconds, bytes, and where the picture is."""

    load: float
    first: float
    warm: float
    own: int
    both: int
    image: Path

    @classmethod
    def read(cls, line: str) -> Made:
        told = json.loads(line)
        return cls(**{**told, "image": Path(told["image"])})

    def __str__(self) -> str:
        return json.dumps({**vars(self), "image": str(self.image)})


def small_enough(shape: Shape) -> Shape:
    """The shape with a CPU's size of pictures."""
    return replace(shape, size=(512, 512)) if shape is FULL else shape


def requests(family: Family) -> dict[str, Request]:
    """What is made, by name."""
    drawing = Image.new("RGB", family.sizes.default)
    ImageDraw.Draw(drawing).ellipse([side // 4 * corner for corner in (1, 3) for side in drawing.size], fill="white")
    common: dict[str, Any] = {"family": family, "prompt": family.examples[0].prompt, "seed": SEED}
    return {
        "text, 4 steps": TextToImage(**common, steps=4),
        "text, 1 step": TextToImage(**common, steps=1),
        TINY: TextToImage(**common, steps=1, tiny_vae=True),
        "canny": CannyGuided(**common, image=drawing),
        "LoRA": CommunityLora(**common, base=family.bases[0], lora_scale=1.0),
    }


def rows(folder: Path, *, small: bool, chosen: str, pictures: int) -> Iterator[tuple[str, ...]]:
    """The table's rows, after its head. `chosen` is a precision's name; the family lies in the folder `family`."""
    yield _COLUMNS
    names = list(requests(written(folder / "family", small_enough(SMALL if small else FULL))))
    run = partial(_in_a_fresh_process, folder, small=small, chosen=chosen, pictures=pictures)
    by_us = dict(zip(names, run("ours"), strict=True))
    by_card: dict[str, Made] = {}
    for name, made in by_us.items():
        same = _RECIPES.get(name, name)
        if same not in by_card:
            (by_card[same],) = run(same)
        card = by_card[same]
        if same == name:
            yield name, "recipe", *_times(card), "", "", *_memory(card)
        ratio = f"{card.warm / made.warm:.2f} x as fast"
        # At random, two decoders have nothing in common.
        difference = _difference(made.image, card.image) if same == name else "another decoder"
        yield name, "ours", *_times(made), ratio, difference, *_memory(made)
    most = max(made.own for made in by_us.values())
    if most > LIMIT:
        raise SystemExit(f"Ours held {most / 1e9:.1f} GB; it must do with {LIMIT / 1e9:.0f}.")


def _times(made: Made) -> tuple[str, str, str]:
    return f"{made.load:.1f} s", f"{made.first:.1f} s", f"{made.warm:.1f} s"


def _memory(made: Made) -> tuple[str, str]:
    return f"{made.own / 1e9:.1f} GB", f"{made.both / 1e9:.1f} GB"


def _difference(one: Path, two: Path) -> str:
    with Image.open(one) as first, Image.open(two) as second:
        apart = np.abs(np.asarray(first, int) - np.asarray(second, int))
    return f"at most {apart.max()}, {apart.mean():.2f} on average" if apart.any() else "none"


def _in_a_fresh_process(folder: Path, job: str, *, small: bool, chosen: str, pictures: int) -> list[Made]:
    """What the job makes, in order. What pickles are converted to stays in the folder."""
    command = [
        sys.executable,
        "-m",
        "bench.full_size_cpu",
        folder,
        job,
        chosen,
        pictures,
        *(["small"] if small else []),
    ]
    environment = os.environ | {"HF_HOME": str(folder / "home")}
    words = [str(word) for word in command]
    done = subprocess.run(words, check=True, env=environment, stdout=subprocess.PIPE, text=True)  # noqa: S603
    return [Made.read(line) for line in done.stdout.splitlines() if line.startswith("{")]


def ours(folder: Path, family: Family, chosen: str, pictures: int) -> Iterator[Made]:
    """All of `requests`, by the page's own studio."""
    keep_freed_memory()  # as app.py does
    runtime = build_runtime(family, Settings(precision=chosen, budget=_MODELS), has_gpu=False)

    def make(request: Request) -> tuple[Image.Image, float]:
        (made,) = runtime.studio.generate(request, silent, lambda: False)
        return made.image, made.seconds

    for name, request in requests(family).items():
        yield _measured(folder / f"ours, {name}.png", lambda: None, partial(make, request), pictures)


def recipe(folder: Path, family: Family, name: str, chosen: str, pictures: int) -> Made:
    """The request of that name, by the model card's recipe."""
    request = requests(family)[name]
    root = folder / "family"
    card = Card(root / "base", root / "dmd2", root / "adapter", precision.BY_NAME[chosen])
    steps = len(request.schedule)
    edges = request.edges()
    width, height = request.size
    arguments = {"width": width, "height": height, **request.call_arguments(edges.image if edges else None)}
    loaded: list[Any] = []

    def load() -> None:
        if isinstance(request, CommunityLora):
            loaded.append(card.lora(request.lora_scale))
        else:
            loaded.append(card.canny() if edges else card.text_to_image(steps))

    def make() -> tuple[Image.Image, float]:
        started = time.perf_counter()
        image = picture(loaded[0], request.prompt, request.seed, steps, **arguments)
        return image, time.perf_counter() - started

    return _measured(folder / f"recipe, {name}.png", load, make, pictures)


def _measured(
    path: Path, load: Callable[[], None], make: Callable[[], tuple[Image.Image, float]], pictures: int
) -> Made:
    """`make` gives a picture and the seconds it took; what else passes until the first one is loading."""
    with HostPeak() as peak:
        started = time.perf_counter()
        load()
        image, first = make()
        loading = time.perf_counter() - started - first
        warm = statistics.median(make()[1] for _ in range(pictures))
    image.save(path)
    return Made(loading, first, warm, peak.own, peak.both, path)


def main() -> None:
    """One process's part: FOLDER JOB PRECISION PICTURES [small]."""
    place, job, chosen, pictures, *small = sys.argv[1:]
    folder = Path(place)
    family = written(folder / "family", small_enough(SMALL if small else FULL))
    if job == "ours":
        for made in ours(folder, family, chosen, int(pictures)):
            print(made, flush=True)
    else:
        print(recipe(folder, family, job, chosen, int(pictures)))


if __name__ == "__main__":
    main()
