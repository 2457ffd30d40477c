"""How well pictures follow an edge map, with the adapter and without."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from diffusers import StableDiffusionXLAdapterPipeline
from PIL import Image

from training.data.art import load_art
from training.data.composites import Composite, composites, to_bytes, to_tensor, to_unit
from training.data.edge_maps import edge_map
from training.evaluation.prompts import FULL, Wish
from training.evaluation.setups import BATCH, CPU, FOUR, SIZE, call_arguments, pipeline
from training.family.members import load_adapter, load_vae
from training.folders import NODE_MODULES
from training.networks.vae import reconstructed
from training.stages.adapter import SCALE

_SHARED = ("vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "unet", "scheduler")
_SEED = 9100  # of placements that were not trained on
_REACH = 1  # pixels that an edge may be off


@dataclass(frozen=True)
class Guided:
    """A composite, its edge map, and the pictures drawn from one seed: alone, with two guided steps and with four."""

    composite: Composite
    edges: Image.Image
    without: Image.Image
    two_steps: Image.Image
    four_steps: Image.Image


def recall(wanted: np.ndarray, found: np.ndarray) -> float:
    """The share of `wanted` edges, bool (height, width), with a `found` one within a pixel."""
    near = cv2.dilate(found.astype(np.uint8), np.ones((2 * _REACH + 1, 2 * _REACH + 1), np.uint8)) > 0
    return float((wanted & near).sum() / max(1, wanted.sum()))


def draw_guided(count: int) -> list[Guided]:
    """`count` composites that were not trained on, redrawn."""
    chosen = random.Random(0).sample(composites(load_art(NODE_MODULES), _SEED, times=1), count)
    edges = [Image.fromarray(edge_map(one.image)).convert("RGB") for one in chosen]
    ways = ((0.0, 0.0), (SCALE, 0.5), (SCALE, 1.0))
    redrawn = (_drawn(chosen, edges, scale, factor) for scale, factor in ways)
    return [Guided(*row) for row in zip(chosen, edges, *redrawn, strict=True)]


def mean_recall(drawn: list[Guided], redrawn: list[Image.Image]) -> float:
    """Of all maps, in the pictures `redrawn` from them."""
    pairs = zip(drawn, redrawn, strict=True)
    return float(np.mean([recall(edge_map(one.composite.image), edge_map(image)) for one, image in pairs]))


def recall_through_vae(drawn: list[Guided]) -> float:
    """Of the composites themselves, encoded and decoded: more than this no member can reach."""
    vae = load_vae(CPU)
    recalls = []
    for one in drawn:
        pixels = to_bytes(reconstructed(vae, to_unit(to_tensor([one.composite.image]))))[0]
        image = Image.fromarray(pixels.permute(1, 2, 0).numpy())
        recalls.append(recall(edge_map(one.composite.image), edge_map(image)))
    return float(np.mean(recalls))


def _drawn(chosen: list[Composite], edges: list[Image.Image], scale: float, factor: float) -> list[Image.Image]:
    plain = pipeline(FOUR)
    parts = {name: plain.components[name] for name in _SHARED}
    made: Any = StableDiffusionXLAdapterPipeline(**parts, adapter=load_adapter())
    made.set_progress_bar_config(disable=True)
    images: list[Image.Image] = []
    for start in range(0, len(chosen), BATCH):
        part = chosen[start : start + BATCH]
        wishes = [Wish(one.thing, one.style, one.colour, 700_000 + start + i) for i, one in enumerate(part)]
        images += made(
            [wish.prompt(FULL) for wish in wishes],
            image=edges[start : start + BATCH],
            width=SIZE,
            height=SIZE,
            adapter_conditioning_scale=scale,
            adapter_conditioning_factor=factor,
            generator=[torch.Generator().manual_seed(wish.seed) for wish in wishes],
            **call_arguments(FOUR),
        ).images
    return images
