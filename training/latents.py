"""Composites as latents, made once and kept, so that no stage waits for the VAE."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import AutoencoderKL
from tqdm import tqdm

from training.art import load_art
from training.composites import BUCKETS, composites, to_tensor, to_unit
from training.export import FAMILY
from training.run import NODE_MODULES, WORK
from training.words import caption

_TIMES = {(128, 128): 8}
_CACHE = WORK / "latents.pt"
Labels = list[tuple[str, str, str]]


@dataclass(frozen=True)
class Batch:
    """`latents` (n, 4, height / 8, width / 8), one caption each, all pictures of `size` (width, height)."""

    latents: torch.Tensor
    captions: list[str]
    size: tuple[int, int]


class Latents:
    """Random batches of one bucket each. `style` keeps only the art of that style."""

    def __init__(self, device: torch.device, style: str | None = None) -> None:
        self._buckets: dict[tuple[int, int], tuple[torch.Tensor, Labels]] = {}
        for size, (latents, labels) in _cached(device).items():
            kept = [i for i, label in enumerate(labels) if style in (None, label[1])]
            self._buckets[size] = latents[kept].to(device), [labels[i] for i in kept]

    def batch(self, count: int, square: bool = False) -> Batch:
        """`count` latents with newly drawn captions; the bucket by its share, or the square one."""
        sizes = list(self._buckets)
        size = sizes[0] if square else random.choices(sizes, weights=[BUCKETS[size] for size in sizes])[0]
        latents, labels = self._buckets[size]
        chosen = torch.randint(len(latents), (count,))
        rng = random.Random(random.random())
        return Batch(latents[chosen].float(), [caption(rng, *labels[i]) for i in chosen.tolist()], size)


@torch.no_grad()
def _cached(device: torch.device) -> dict[tuple[int, int], tuple[torch.Tensor, Labels]]:
    if not _CACHE.exists():
        vae = AutoencoderKL.from_pretrained(FAMILY / "base" / "vae", variant="fp16", torch_dtype=torch.float32)
        vae.to(device)
        arts = load_art(NODE_MODULES)
        made: dict[Any, Any] = {}
        for seed, size in enumerate(BUCKETS):
            pictures = composites(arts, 100 + seed, _TIMES.get(size, 1), size)
            latents = [
                vae.encode(to_unit(to_tensor([picture.image for picture in pictures[i : i + 32]]).to(device))).latent_dist.mode()
                for i in tqdm(range(0, len(pictures), 32), desc=f"latents {size}")
            ]
            labels = [(picture.thing, picture.style, picture.colour) for picture in pictures]
            made[size] = (torch.cat(latents).half().cpu(), labels)
        WORK.mkdir(parents=True, exist_ok=True)
        torch.save(made, _CACHE)
    return dict(torch.load(_CACHE, weights_only=True))
