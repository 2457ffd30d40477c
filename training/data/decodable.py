"""Latents with what a decoder should make of them, drawn anew for each batch."""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
from diffusers import AutoencoderKL

from training.data.art import load_art
from training.data.composites import BUCKETS, Composite, anywhere, to_tensor, to_unit
from training.data.corruption import load_generators, noised
from training.diffusion.sampling import latent_shape
from training.folders import NODE_MODULES
from training.words import COLOURS, full_caption

_PART = 2  # pictures of each kind of latents in a batch


@dataclass(frozen=True)
class Decodable:
    """`latents` (4 k, 4, height / 8, width / 8) of four kinds, k each, one kind after the other.

    Art as it is, noised, and redrawn by the 4-step UNet: `pixels` (3 k, 3, height, width) are wanted of these. Then
    the 1-step UNet's own pictures, of which only the background's colour is known: `colours` (k, 3, 1, 1).
    `encoded` (3 k, ...) are the latents of `pixels`, uncorrupted.
    """

    latents: torch.Tensor
    pixels: torch.Tensor
    colours: torch.Tensor
    encoded: torch.Tensor


class Decodables:
    """Random batches of one picture size each, encoded by `vae`."""

    def __init__(self, vae: AutoencoderKL, device: torch.device) -> None:
        self._vae, self._device = vae, device
        self._arts, self._generators = load_art(NODE_MODULES), load_generators(device)

    @torch.no_grad()
    def batch(self) -> Decodable:
        """The next one."""
        size = random.choices(list(BUCKETS), weights=list(BUCKETS.values()))[0]
        rng = random.Random(random.random())
        made = [anywhere(rng, rng.choice(self._arts), rng.choice(list(COLOURS)), size) for _ in range(4 * _PART)]
        captions = [full_caption(rng, *one.names) for one in made]
        aligned = 3 * _PART
        pixels = to_unit(to_tensor([one.image for one in made[:aligned]]).to(self._device))
        encoded = self._vae.encode(pixels).latent_dist.mode()
        clean, second, third = encoded.split(_PART)
        redrawn = self._generators.redrawn(third, captions[2 * _PART : aligned], size)
        start = torch.randn(latent_shape(_PART, size), device=self._device)
        drawn = self._generators.drawn(start, captions[aligned:], size)
        colours = _colours(made[aligned:]).to(self._device)
        return Decodable(torch.cat([clean, noised(second), redrawn, drawn]), pixels, colours, encoded)


def _colours(made: list[Composite]) -> torch.Tensor:
    colours = torch.tensor([COLOURS[one.colour] for one in made], dtype=torch.uint8)
    return to_unit(colours)[:, :, None, None]
