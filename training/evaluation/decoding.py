"""Measures the decoders: how near to the art, how sharp, how plain where nothing is drawn, and how long they take.

python -m training.evaluation.decoding                  the family's VAE and its tiny one
python -m training.evaluation.decoding FOLDER ...       and others over the same latents
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from torch.nn import functional

from training.data.art import load_art
from training.data.composites import composites, to_tensor, to_unit
from training.data.held_out import held_out
from training.evaluation.prompts import Wish
from training.evaluation.setups import CPU, FOUR, ONE, SIZE, Setup, call_arguments, pipeline
from training.family.members import TINY_VAE, load_vae
from training.folders import NODE_MODULES
from training.loop.run import arguments
from training.words import COLOURS, THINGS

_SEED = 9200  # of placements that were not trained on, of combinations that were not either
_PICTURES = 192
_DRAWN = 24  # pictures, of as many things and of all colours
_CORNER = 20  # pixels
_STEEPEST = 0.02  # the share of neighbouring pixels that edges are measured by
Decode = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Subjects:
    """Art with its latents, and latents that the 4-step and the 1-step UNet drew."""

    art: torch.Tensor
    latents: torch.Tensor
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


def background_spread(pictures: torch.Tensor) -> float:
    """The standard deviation inside patches in the corners, colours 0..1: the median over corners and pictures."""
    far = slice(-_CORNER, None)
    near = slice(None, _CORNER)
    corners = torch.stack([pictures[..., down, across] for down in (near, far) for across in (near, far)])
    return float((corners / 2).std((-2, -1)).mean(-1).median())


def sharpness(pictures: torch.Tensor) -> float:
    """The mean of the steepest steps between neighbouring pixels, colours 0..1."""
    steps = [pictures.diff(dim=dim).abs().mean(1).flatten(1) / 2 for dim in (-1, -2)]
    joined = torch.cat(steps, dim=1)
    return float(joined.topk(int(_STEEPEST * joined.shape[1]), dim=1).values.mean())


def gradient_deviation(pictures: torch.Tensor, others: torch.Tensor) -> float:
    """Gradient magnitude similarity deviation (arXiv 1308.3052): 0 for equal pictures, the mean over them.

    It stands in for LPIPS, whose network would have to be fetched: it counts blurred and displaced outlines, and no
    evenness of colour. Brightness in 0..1, halved in size, Prewitt's gradients, as in the paper.
    """
    prewitt = torch.tensor([[1.0, 0.0, -1.0]] * 3) / 3
    kernels = torch.stack([prewitt, prewitt.T])[:, None]

    def magnitude(drawn: torch.Tensor) -> torch.Tensor:
        red, green, blue = ((drawn + 1) / 2).unbind(1)
        brightness = functional.avg_pool2d((0.299 * red + 0.587 * green + 0.114 * blue)[:, None], 2)
        return functional.conv2d(brightness, kernels).square().sum(1).sqrt()

    one, other, steady = magnitude(pictures), magnitude(others), 170 / 255**2
    similar = (2 * one * other + steady) / (one.square() + other.square() + steady)
    return float(similar.flatten(1).std(1, correction=0).mean())


@torch.no_grad()
def milliseconds(decode: Decode) -> float:
    """Of one picture at a time, the fastest of some: other work only slows."""
    latents = torch.randn(1, 4, SIZE // 8, SIZE // 8)
    taken = []
    for _ in range(30):
        start = time.perf_counter()
        decode(latents)
        taken.append(1000 * (time.perf_counter() - start))
    return min(taken)


@torch.no_grad()
def row(name: str, decode: Decode, given: Subjects) -> str:
    """One line of the table."""

    def all_of(latents: torch.Tensor) -> torch.Tensor:
        return torch.cat([decode(part).clamp(-1, 1) for part in latents.split(24)])

    back, four, one = all_of(given.latents), all_of(given.four), all_of(given.one)
    cells = (
        f"{float(10 * torch.log10(4 / functional.mse_loss(back, given.art))):.2f} dB",
        f"{gradient_deviation(back, given.art):.4f}",
        f"{sharpness(back) / sharpness(given.art):.2f}",
        *(f"{background_spread(pictures):.4f} | {sharpness(pictures):.3f}" for pictures in (four, one)),
        f"{milliseconds(decode):.0f}",
    )
    return f"| {name} | {' | '.join(cells)} |"


def load_decode(folder: Path) -> Decode:
    """The decoder of the VAE, tiny or not, at `folder`."""
    kind: Any = AutoencoderTiny if "AutoencoderTiny" in (folder / "config.json").read_text() else AutoencoderKL
    vae = kind.from_pretrained(folder, variant="fp16", torch_dtype=torch.float32).eval()
    return lambda latents: vae.decode(latents).sample


def main() -> None:
    """Prints the table."""
    options: Any = arguments(__doc__, steps=0, extend=_options)
    given = subjects()
    print("| | art | outlines | edges | 4 steps: spread | edges | 1 step: spread | edges | ms |\n|---|" + "---|" * 8)
    vae = load_vae(CPU)
    print(row("VAE", lambda latents: vae.decode(latents).sample, given), flush=True)
    for folder in (TINY_VAE, *options.folders):
        print(row(folder.name, load_decode(folder), given), flush=True)
    print(f"edges of the art: {sharpness(given.art):.3f}")


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folders", nargs="*", type=Path, help="of other VAEs over the same latents")


if __name__ == "__main__":
    main()
