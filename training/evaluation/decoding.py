"""Measures the decoders: how near to the art, how sharp, how plain where nothing is drawn, and how long they take.

python -m training.evaluation.decoding                  the family's VAE and its tiny one
python -m training.evaluation.decoding FOLDER ...       and others over the same latents

Pictures to look at go to training/work/decoders.png.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from PIL import Image
from torchvision.transforms.functional import to_pil_image

from training.data.art import load_art
from training.data.composites import composites, to_tensor, to_unit
from training.data.held_out import held_out
from training.evaluation.grid import grid
from training.evaluation.picture_measures import background_spread, gradient_deviation, sharpness
from training.evaluation.prompts import Wish
from training.evaluation.setups import CPU, FOUR, ONE, SIZE, Setup, call_arguments, pipeline
from training.family.members import BASE, TINY_VAE, load_vae
from training.folders import NODE_MODULES, WORK
from training.loop.run import arguments
from training.stages.picture_loss import psnr
from training.words import COLOURS, THINGS

_SEED = 9200  # of placements that were not trained on, of combinations that were not either
_PICTURES = 192
_DRAWN = 24  # pictures, of as many things and of all colours
_SHOWN = 8  # of each in the sheet
_TIMES = 30
Decode = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Subjects:
    """Art with its latents, and latents that the 4-step and the 1-step UNet drew."""

    art: torch.Tensor
    latents: torch.Tensor
    four: torch.Tensor
    one: torch.Tensor


@dataclass(frozen=True)
class Decoded:
    """What one decoder makes of them: pictures (n, 3, height, width) in -1..1."""

    art: torch.Tensor
    four: torch.Tensor
    one: torch.Tensor


@torch.no_grad()
def subjects() -> Subjects:
    """The same ones every time."""
    every = composites(load_art(NODE_MODULES), _SEED, times=2)
    unseen = [made.image for made in every if made.names in held_out()]
    art = to_unit(to_tensor(random.Random(0).sample(unseen, _PICTURES)))
    vae = load_vae(CPU)
    latents = torch.cat([vae.encode(part).latent_dist.mode() for part in art.split(32)])
    return Subjects(art, latents, _drawn(FOUR), _drawn(ONE))


def _drawn(setup: Setup) -> torch.Tensor:
    things, colours = list(THINGS)[:: len(THINGS) // _DRAWN][:_DRAWN], cycle(COLOURS)
    prompts = [Wish(thing, "", next(colours), 0).prompt("a {thing} on {colour}") for thing in things]
    seeds = [torch.Generator().manual_seed(600_000 + i) for i in range(_DRAWN)]
    options = {"width": SIZE, "height": SIZE, "generator": seeds, "output_type": "latent"}
    latents: torch.Tensor = pipeline(setup)(prompts, **options, **call_arguments(setup)).images
    return latents


@torch.no_grad()
def milliseconds(decode: Decode) -> float:
    """Of one core, for one picture: its own time, which other work does not count into."""
    latents, threads = torch.randn(1, 4, SIZE // 8, SIZE // 8), torch.get_num_threads()
    torch.set_num_threads(1)
    taken = []
    for _ in range(_TIMES):
        start = time.thread_time()
        decode(latents)
        taken.append(1000 * (time.thread_time() - start))
    torch.set_num_threads(threads)
    return statistics.median(taken)


@torch.no_grad()
def decoded(decode: Decode, given: Subjects) -> Decoded:
    """All of `given` as pictures."""

    def all_of(latents: torch.Tensor) -> torch.Tensor:
        return torch.cat([decode(part).clamp(-1, 1) for part in latents.split(_DRAWN)])

    return Decoded(all_of(given.latents), all_of(given.four), all_of(given.one))


def row(name: str, made: Decoded, art: torch.Tensor, taken: float) -> str:
    """One line of the table."""
    cells = (
        f"{psnr(made.art, art):.2f} dB",
        f"{gradient_deviation(made.art, art):.4f}",
        f"{sharpness(made.art) / sharpness(art):.2f}",
        *(f"{background_spread(pictures):.4f} | {sharpness(pictures):.3f}" for pictures in (made.four, made.one)),
        f"{taken:.0f}",
    )
    return f"| {name} | {' | '.join(cells)} |"


def shown(art: torch.Tensor, every: list[Decoded]) -> Image.Image:
    """The art over what each decoder makes of it; then, one under the other, the 4-step and the 1-step UNet's."""
    rows = [art, *(made.art for made in every)]
    rows += [made.four for made in every] + [made.one for made in every]
    return grid([to_pil_image((picture + 1) / 2) for pictures in rows for picture in pictures[:_SHOWN]], _SHOWN)


def load_decode(folder: Path) -> Decode:
    """The decoder of the VAE, tiny or not, at `folder`."""
    kind: Any = AutoencoderTiny if "AutoencoderTiny" in (folder / "config.json").read_text() else AutoencoderKL
    vae = kind.from_pretrained(folder, variant="fp16", torch_dtype=torch.float32).eval()
    return lambda latents: vae.decode(latents).sample


def main() -> None:
    """Prints the table and writes the sheet."""
    options: Any = arguments(__doc__, steps=0, extend=_options)
    given, every = subjects(), []
    print("| | art | outlines | edges | 4 steps: spread | edges | 1 step: spread | edges | ms |\n|---|" + "---|" * 8)
    for folder in (BASE / "vae", TINY_VAE, *options.folders):
        decode = load_decode(folder)
        every.append(decoded(decode, given))
        print(row(folder.name, every[-1], given.art, milliseconds(decode)), flush=True)
    print(f"edges of the art: {sharpness(given.art):.3f}")
    WORK.mkdir(parents=True, exist_ok=True)
    shown(given.art, every).save(WORK / "decoders.png")


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folders", nargs="*", type=Path, help="of other VAEs over the same latents")


if __name__ == "__main__":
    main()
