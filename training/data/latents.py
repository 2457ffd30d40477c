"""Composites as latents, made once and kept, so that no stage waits for the VAE.

python -m training.data.latents
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from PIL import Image
from tqdm import tqdm

from training.data.art import load_art
from training.data.composites import BUCKETS, Composite, composites, couples, to_tensor, to_unit
from training.data.held_out import Names, is_held_out
from training.data.restyled import RESTYLES
from training.family.members import load_vae
from training.folders import NODE_MODULES, WORK
from training.loop.run import save
from training.words import caption, things_of

_SEED = 100  # of the composites; the buckets after the first count up from it
_TIMES, _COUPLES = 7, 5760  # of the square: each art on each colour so often, and pictures of two; of others fewer
_RESTYLED = 640  # pictures where an algorithm restyles the art, all square: a style is soon learned
TOGETHER = 0.15  # of the pictures that most stages train on show two things
Describe = Callable[[random.Random, str, str, str], str]  # of thing, style and colour


def pictures(size: tuple[int, int]) -> list[Composite]:
    """Those of one size, always the same ones."""
    arts, number = load_art(NODE_MODULES), list(BUCKETS).index(size)
    times, pairs = (1, _COUPLES // 10) if number else (_TIMES, _COUPLES)
    return [*composites(arts, _SEED + number, times, size), *couples(arts, _SEED + number, pairs, size)]


@dataclass(frozen=True)
class Batch:
    """`latents` (n, 4, height / 8, width / 8), one caption each, all pictures of `size` (width, height).

    `indices` (n,) tell which of that size's `pictures` they are.
    """

    latents: torch.Tensor
    captions: list[str]
    size: tuple[int, int]
    indices: torch.Tensor


@dataclass(frozen=True)
class _Bucket:
    """All of one size, and which of them may be drawn: of one thing, of two."""

    latents: torch.Tensor
    names: list[Names]
    kept: tuple[torch.Tensor, torch.Tensor]


class Latents:
    """Random batches of one bucket each, without what is held out, kept in `folder`.

    `style` keeps only the art of that style; `restyled` names one of RESTYLES that all of it is given. `shares` are
    those of the sizes, `together` that of pictures of two things.
    """

    def __init__(
        self,
        device: torch.device,
        style: str | None = None,
        folder: Path = WORK,
        restyled: str | None = None,
        shares: Mapping[tuple[int, int], float] = BUCKETS,
        together: float = TOGETHER,
    ) -> None:
        self._shares, self._together = shares, together
        self._buckets: dict[tuple[int, int], _Bucket] = {}
        for size, (latents, names) in _cached(device, folder, restyled).items():
            kept = [i for i, one in enumerate(names) if style in (None, one[1]) and not is_held_out(one)]
            apart = [i for i in kept if len(things_of(names[i][0])) == 1]
            two = sorted(set(kept) - set(apart))
            self._buckets[size] = _Bucket(latents.to(device), names, (torch.tensor(apart), torch.tensor(two)))

    def batch(self, count: int, describe: Describe = caption) -> Batch:
        """`count` latents of one size, sizes by their shares, with newly drawn captions."""
        sizes = list(self._buckets)
        size = random.choices(sizes, weights=[self._shares[size] for size in sizes])[0]
        bucket = self._buckets[size]
        apart, two = (kept[torch.randint(len(kept), (count,))] for kept in bucket.kept)
        indices = torch.where(torch.rand(count) < self._together, two, apart)
        rng = random.Random(random.random())
        captions = [describe(rng, *bucket.names[i]) for i in indices.tolist()]
        return Batch(bucket.latents[indices].float(), captions, size, indices)


def _cached(
    device: torch.device, folder: Path, restyled: str | None
) -> dict[tuple[int, int], tuple[torch.Tensor, list[Names]]]:
    cache = folder / f"{'-'.join(filter(None, ('latents', restyled)))}.pt"
    if not cache.exists():
        vae = load_vae(device)
        made = {}
        for size in [(128, 128)] if restyled else BUCKETS:
            chosen = pictures(size)
            images = [one.image for one in chosen]
            if restyled:
                chosen = random.Random(_SEED).sample(chosen, _RESTYLED)
                images = [RESTYLES[restyled](one.image) for one in chosen]
            made[size] = _encoded(vae, images, f"latents {size}"), [one.names for one in chosen]
        save(made, cache)
    return dict(torch.load(cache, weights_only=True))


@torch.no_grad()
def _encoded(vae: AutoencoderKL, images: list[Image.Image], what: str) -> torch.Tensor:
    latents = [
        vae.encode(to_unit(to_tensor(images[i : i + 32]).to(vae.device))).latent_dist.mode().half().cpu()
        for i in tqdm(range(0, len(images), 32), desc=what, mininterval=5)
    ]
    return torch.cat(latents)


def main() -> None:
    """Makes what most stages train on."""
    made = _cached(torch.device("cuda" if torch.cuda.is_available() else "cpu"), WORK, None)
    print(f"{sum(len(names) for _, names in made.values())} pictures")


if __name__ == "__main__":
    main()
