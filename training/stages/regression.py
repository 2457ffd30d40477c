"""The 1-step UNet's start: regression on noise and the picture that the teacher makes of it."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional
from tqdm import tqdm

from training.data.latents import Latents
from training.diffusion.noise import Noise
from training.diffusion.sampling import ONE_STEP, generate, latent_shape, solve
from training.folders import WORK
from training.loop import parallel
from training.loop.run import Run, cosine
from training.networks.precision import trainable
from training.networks.text import Text

PAIRS = 1536
BATCH = 32
_TEACHER_STEPS = 12
_CACHE = WORK / "pairs.pt"


def regress(unet: Any, teacher: Any, text: Text, latents: Latents, noise: Noise, guidance: float, steps: int) -> None:
    """Teaches `unet` to make, at time 399 and in one call, what `teacher` makes of the same noise in many."""
    device = next(unet.parameters()).device
    groups = make_pairs(teacher, text, latents, noise, guidance)
    optimizer = torch.optim.AdamW(trainable(unet), lr=3e-4, weight_decay=0.0)
    schedule = cosine(optimizer, steps, warm_up=30)
    run = Run("1step-regression", steps, {"unet": unet, "optimizer": optimizer, "schedule": schedule})
    for _ in run:
        group = groups[int(torch.randint(len(groups), ()))]
        start, target = group["start"].to(device), group["target"].to(device)
        times = torch.full((len(start),), ONE_STEP[0], device=device)
        clean = generate(unet, noise, start, times, text(group["captions"], group["size"]))
        error = functional.mse_loss(clean, target)
        parallel.descend(optimizer, error, trainable(unet))
        schedule.step()
        run.report(loss=float(error.detach()))


def make_pairs(teacher: Any, text: Text, latents: Latents, noise: Noise, guidance: float) -> list[dict[str, Any]]:
    """`PAIRS` pairs in groups of one picture size each; made once and kept in `training/work/`."""

    def make() -> None:
        if _CACHE.exists():
            return
        groups = []
        for _ in tqdm(range(0, PAIRS, BATCH), desc="pairs"):
            batch = latents.batch(BATCH)
            start = torch.randn(latent_shape(BATCH, batch.size), device=batch.latents.device)
            target = solve(teacher, noise, text(batch.captions, batch.size), start, guidance, _TEACHER_STEPS)
            groups.append(
                {"start": start.cpu(), "target": target.cpu(), "captions": batch.captions, "size": batch.size}
            )
        torch.save(groups, _CACHE)

    parallel.first_alone(make)
    return list(torch.load(_CACHE, weights_only=True))
