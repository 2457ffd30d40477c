"""Composites as latents, made once and kept, so that no stage waits for the VAE.

python -m training.data.latents
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from training.data.art import load_art
from training.data.composites import BUCKETS, Placing, anywhere, composites, near_the_middle, to_tensor, to_unit
from training.data.held_out import held_out
from training.data.restyled import STYLES
from training.family.members import load_vae
from training.folders import NODE_MODULES, WORK
from training.words import caption

SEED = 100  # of the composites; the buckets after the first count up from it
TIMES = {(128, 128): 10}  # of the others there is one each
RESTYLED = 640  # pictures where an algorithm restyles the art, all square: a style is soon learned
Labels = list[tuple[str, str, str]]
Describe = Callable[[random.Random, str, str, str], str]  # of thing, style and colour


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
    """Random batches of one bucket each, without what is held out, kept in `folder`.

    `style` keeps only the art of that style; `restyled` names one of STYLES that all of it is given. `shares` are those
    of the sizes.
    """

    def __init__(
        self,
        device: torch.device,
        style: str | None = None,
        place: Placing = anywhere,
        folder: Path = WORK,
        restyled: str | None = None,
        shares: Mapping[tuple[int, int], float] = BUCKETS,
    ) -> None:
        self._shares = shares
        self._buckets: dict[tuple[int, int], tuple[torch.Tensor, Labels, torch.Tensor]] = {}
        for size, (latents, labels) in _cached(device, place, folder, restyled).items():
            kept = [i for i, one in enumerate(labels) if style in (None, one[1]) and one not in held_out()]
            self._buckets[size] = latents[kept].to(device), [labels[i] for i in kept], torch.tensor(kept)

    def batch(self, count: int, describe: Describe = caption) -> Batch:
        """`count` latents of one size, sizes by their shares, with newly drawn captions."""
        sizes = list(self._buckets)
        size = random.choices(sizes, weights=[self._shares[size] for size in sizes])[0]
        latents, labels, indices = self._buckets[size]
        chosen = torch.randint(len(latents), (count,))
        rng = random.Random(random.random())
        return Batch(
            latents[chosen].float(), [describe(rng, *labels[i]) for i in chosen.tolist()], size, indices[chosen]
        )


@torch.no_grad()
def _cached(
    device: torch.device, place: Placing, folder: Path, restyled: str | None = None
) -> dict[tuple[int, int], tuple[torch.Tensor, Labels]]:
    cache = folder / f"latents-{'-'.join(filter(None, (place.__name__, restyled)))}.pt"
    if not cache.exists():
        vae = load_vae(device)
        arts = load_art(NODE_MODULES)
        made: dict[Any, Any] = {}
        restyle = STYLES[restyled] if restyled else None
        for offset, size in enumerate([(128, 128)] if restyle else BUCKETS):
            pictures = composites(arts, SEED + offset, 1 if restyle else TIMES.get(size, 1), size, place)
            if restyle:
                pictures = random.Random(SEED).sample(pictures, RESTYLED)
            images = [restyle(picture.image) if restyle else picture.image for picture in pictures]
            latents = [
                vae.encode(to_unit(to_tensor(images[i : i + 32]).to(device))).latent_dist.mode()
                for i in tqdm(range(0, len(pictures), 32), desc=f"latents {size}")
            ]
            labels = [(picture.thing, picture.style, picture.colour) for picture in pictures]
            made[size] = (torch.cat(latents).half().cpu(), labels)
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(made, cache)
    return dict(torch.load(cache, weights_only=True))


if __name__ == "__main__":
    for placing in (near_the_middle, anywhere):
        _cached(torch.device("cuda" if torch.cuda.is_available() else "cpu"), placing, WORK)
