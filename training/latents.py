"""Composites as latents, made once and kept, so that no stage waits for the VAE.

python -m training.latents
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import AutoencoderKL
from tqdm import tqdm

from training.art import load_art
from training.composites import BUCKETS, composites, to_tensor, to_unit
from training.folders import FAMILY, NODE_MODULES, WORK
from training.words import caption

SEED = 100  # of the composites; the buckets after the first count up from it
_TIMES = {(128, 128): 8}
_CACHE = WORK / "latents.pt"
Labels = list[tuple[str, str, str]]


@dataclass(frozen=True)
class Batch:
    """`latents` (n, 4, height / 8, width / 8), one caption each, all pictures of `size` (width, height).

    `indices` (n,) tell which of that size's composites they are.
    """

    latents: torch.Tensor
    captions: list[str]
    size: tuple[int, int]
    indices: torch.Tensor


class Latents:
    """Random batches of one bucket each. `style` keeps only the art of that style."""

    def __init__(self, device: torch.device, style: str | None = None) -> None:
        self._buckets: dict[tuple[int, int], tuple[torch.Tensor, Labels]] = {}
        for size, (latents, labels) in _cached(device).items():
            kept = [i for i, label in enumerate(labels) if style in (None, label[1])]
            self._buckets[size] = latents[kept].to(device), [labels[i] for i in kept]

    def batch(self, count: int, among: dict[tuple[int, int], int] | None = None) -> Batch:
        """`count` latents of one size, sizes by their shares, with newly drawn captions.

        `among` limits each size to its first so many composites.
        """
        sizes = list(self._buckets)
        size = random.choices(sizes, weights=[BUCKETS[size] for size in sizes])[0]
        latents, labels = self._buckets[size]
        chosen = torch.randint(among[size] if among else len(latents), (count,))
        rng = random.Random(random.random())
        return Batch(latents[chosen].float(), [caption(rng, *labels[i]) for i in chosen.tolist()], size, chosen)


@torch.no_grad()
def _cached(device: torch.device) -> dict[tuple[int, int], tuple[torch.Tensor, Labels]]:
    if not _CACHE.exists():
        vae = AutoencoderKL.from_pretrained(FAMILY / "base" / "vae", variant="fp16", torch_dtype=torch.float32)
        vae.to(device)
        arts = load_art(NODE_MODULES)
        made: dict[Any, Any] = {}
        for offset, size in enumerate(BUCKETS):
            pictures = composites(arts, SEED + offset, _TIMES.get(size, 1), size)
            latents = [
                vae.encode(
                    to_unit(to_tensor([picture.image for picture in pictures[i : i + 32]]).to(device))
                ).latent_dist.mode()
                for i in tqdm(range(0, len(pictures), 32), desc=f"latents {size}")
            ]
            labels = [(picture.thing, picture.style, picture.colour) for picture in pictures]
            made[size] = (torch.cat(latents).half().cpu(), labels)
        WORK.mkdir(parents=True, exist_ok=True)
        torch.save(made, _CACHE)
    return dict(torch.load(_CACHE, weights_only=True))


if __name__ == "__main__":
    _cached(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
