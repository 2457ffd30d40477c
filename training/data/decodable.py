"""Latents with what a decoder should make of them, drawn anew for each batch."""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
from diffusers import AutoencoderKL

from training.data.art import load_art
from training.data.composites import BUCKETS, Composite, anywhere, side_by_side, to_tensor, to_unit
from training.data.corruption import load_generators, noised
from training.data.held_out import held_out_couple, is_held_out
from training.data.latents import TOGETHER
from training.diffusion.sampling import latent_shape
from training.folders import NODE_MODULES
from training.words import COLOURS, full_caption

_CLEAN, _NOISED, _REDRAWN, _DRAWN = 3, 2, 1, 2  # pictures of each kind of latents in a batch
_ALIGNED = _CLEAN + _NOISED + _REDRAWN


@dataclass(frozen=True)
class Decodable:
    """`latents` (n, 4, height / 8, width / 8) of four kinds, one after the other.

    Art as it is, noised, and redrawn by the 4-step UNet: `pixels` (m, 3, height, width) are wanted of these. Then
    the 1-step UNet's own pictures, of which only the background's colour is known: `colours` (n - m, 3, 1, 1).
    `encoded` (m, ...) are the latents of `pixels`, uncorrupted.
    """

    latents: torch.Tensor
    pixels: torch.Tensor
    colours: torch.Tensor
    encoded: torch.Tensor


class Decodables:
    """Random batches of one picture size each, encoded by `vae`."""

    def __init__(self, vae: AutoencoderKL, device: torch.device) -> None:
        self._vae, self._device = vae, device
        self._generators = load_generators(device)
        self._combinations = [
            (art, colour)
            for art in load_art(NODE_MODULES)
            for colour in COLOURS
            if not is_held_out((art.thing, art.style, colour))
        ]

    def composite(self, rng: random.Random, size: tuple[int, int]) -> Composite:
        """A picture of `size` (width, height), mostly of one thing, never what is held out."""
        art, colour = rng.choice(self._combinations)
        if rng.random() >= TOGETHER:
            return anywhere(rng, art, colour, size)
        beside = [
            other
            for other, ground in self._combinations
            if (other.style, ground) == (art.style, colour)
            and other.thing != art.thing
            and not held_out_couple(other.thing, art.thing)
        ]
        return side_by_side(rng, (art, rng.choice(beside)), colour, size)

    @torch.no_grad()
    def batch(self) -> Decodable:
        """The next one."""
        size = random.choices(list(BUCKETS), weights=list(BUCKETS.values()))[0]
        rng = random.Random(random.random())
        made = [self.composite(rng, size) for _ in range(_ALIGNED + _DRAWN)]
        captions = [full_caption(rng, *one.names) for one in made]
        pixels = to_unit(to_tensor([one.image for one in made[:_ALIGNED]]).to(self._device))
        encoded = self._vae.encode(pixels).latent_dist.mode()
        clean, second, third = encoded.split((_CLEAN, _NOISED, _REDRAWN))
        redrawn = self._generators.redrawn(third, captions[_ALIGNED - _REDRAWN : _ALIGNED], size)
        start = torch.randn(latent_shape(_DRAWN, size), device=self._device)
        drawn = self._generators.drawn(start, captions[_ALIGNED:], size)
        colours = _colours(made[_ALIGNED:]).to(self._device)
        return Decodable(torch.cat([clean, noised(second), redrawn, drawn]), pixels, colours, encoded)


def _colours(made: list[Composite]) -> torch.Tensor:
    colours = torch.tensor([COLOURS[one.colour] for one in made], dtype=torch.uint8)
    return to_unit(colours)[:, :, None, None]
