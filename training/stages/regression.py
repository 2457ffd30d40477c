"""The 1-step UNet's start: regression on noise and the picture that the teacher makes of it."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional
from tqdm import tqdm

from training.data.composites import is_wide
from training.data.latents import Latents
from training.diffusion.noise import Noise
from training.diffusion.sampling import ONE_STEP, generate, latent_shape, solve
from training.folders import WORK
from training.loop import parallel
from training.loop.run import Run, cosine, save
from training.networks.precision import trainable
from training.networks.text import Text
from training.words import open_caption

PAIRS = 2304
BATCH = 32
_TEACHER_STEPS = 12


class Pairs:
    """Noise and the picture that the teacher makes of it, in groups of one picture size each."""

    def __init__(self, groups: list[dict[str, Any]], text: Text, noise: Noise, device: torch.device) -> None:
        self._groups, self._text, self._noise, self._device = groups, text, noise, device

    def error(self, unet: Any) -> torch.Tensor:
        """Of a random group: how far `unet` is from the teacher's picture, at time 399 and in one call."""
        group = self._groups[int(torch.randint(len(self._groups), ()))]
        start, target = group["start"].to(self._device), group["target"].to(self._device)
        times = torch.full((len(start),), ONE_STEP[0], device=self._device)
        clean = generate(unet, self._noise, start, times, self._text(group["captions"], group["size"]))
        return functional.mse_loss(clean, target)


def regress(unet: Any, pairs: Pairs, steps: int) -> None:
    """Teaches `unet` to make, at time 399 and in one call, what the teacher makes of the same noise in many."""
    optimizer = torch.optim.AdamW(trainable(unet), lr=3e-4, weight_decay=0.0)
    schedule = cosine(optimizer, steps, warm_up=30)
    run = Run("1step-regression", steps, {"unet": unet, "optimizer": optimizer, "schedule": schedule})
    for _ in run:
        error = pairs.error(unet)
        parallel.descend(optimizer, error, trainable(unet))
        schedule.step()
        run.report(loss=float(error.detach()))


def make_pairs(teacher: Any, text: Text, latents: Latents, noise: Noise, guidance: float) -> Pairs:
    """`PAIRS` pairs; made once and kept in `training/work/`.

    None of the widest and tallest sizes: there a thing may be anywhere, noise does not tell one step where, and the
    mean of all places is an empty picture.
    """
    cache = WORK / "pairs.pt"
    device = next(teacher.parameters()).device

    def make() -> None:
        if cache.exists():
            return
        groups = []
        for _ in tqdm(range(0, PAIRS, BATCH), desc="pairs", mininterval=5):
            batch = latents.batch(BATCH, open_caption)
            while is_wide(batch.size):
                batch = latents.batch(BATCH, open_caption)
            start = torch.randn(latent_shape(BATCH, batch.size), device=batch.latents.device)
            target = solve(teacher, noise, text(batch.captions, batch.size), start, guidance, _TEACHER_STEPS)
            groups.append(
                {"start": start.cpu(), "target": target.cpu(), "captions": batch.captions, "size": batch.size}
            )
        save(groups, cache)

    parallel.first_alone(make)
    return Pairs(torch.load(cache, weights_only=True), text, noise, device)
