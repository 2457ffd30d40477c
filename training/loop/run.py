"""A training run that can be cut at any moment and goes on where it was."""

from __future__ import annotations

import argparse
import math
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch.optim.lr_scheduler import LambdaLR
from tqdm import tqdm

from training.folders import WORK
from training.loop import parallel


class Stateful(Protocol):
    """What a checkpoint holds: modules, optimisers, schedules, averages."""

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any: ...


class Run:
    """Iterates over the steps still to do, saving everything in `parts` every minute and at the end.

    The state lies in `training/work/<stage>.pt`. A second run of the same stage goes on from it; with the
    stage finished it does nothing.
    """

    def __init__(
        self, stage: str, steps: int, parts: Mapping[str, Stateful], seconds: float = 60, folder: Path = WORK
    ) -> None:
        self.path = folder / f"{stage}.pt"
        self.steps = steps
        self._stage, self._parts, self._seconds = stage, parts, seconds
        self._bar: tqdm[int] | None = None

    def __iter__(self) -> Iterator[int]:
        start = self._restore()
        saved = time.monotonic()
        quiet = parallel.rank() > 0
        with tqdm(total=self.steps, initial=start, desc=self._stage, mininterval=5, disable=quiet) as self._bar:
            for step in range(start, self.steps):
                yield step
                self._bar.update()
                if time.monotonic() - saved > self._seconds:
                    self._save(step + 1)
                    saved = time.monotonic()
        if start < self.steps:
            self._save(self.steps)

    def report(self, **figures: float) -> None:
        """Shows figures beside the progress bar."""
        if self._bar is not None:
            self._bar.set_postfix({name: f"{value:.4f}" for name, value in figures.items()}, refresh=False)

    def _save(self, step: int) -> None:
        if parallel.rank() > 0:
            return
        state = {name: part.state_dict() for name, part in self._parts.items()}
        save({"step": step, "random": torch.get_rng_state(), "parts": state}, self.path)

    def _restore(self) -> int:
        if not self.path.exists():
            return 0
        saved = torch.load(self.path, map_location="cpu", weights_only=True)
        for name, part in self._parts.items():
            part.load_state_dict(saved["parts"][name])
        if parallel.rank() == 0:
            torch.set_rng_state(saved["random"])
        else:
            torch.manual_seed(saved["step"] + 1000 * parallel.rank())
        # Python's generator picks captions; a new stream that depends on the step is as good as the old one.
        random.seed(saved["step"] + 1000 * parallel.rank())
        return int(saved["step"])


def save(made: Any, path: Path) -> None:
    """Saves what `torch.load` reads, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(made, partial)
    partial.replace(path)


def average(model: torch.nn.Module, decay: float) -> torch.optim.swa_utils.AveragedModel:
    """An exponential moving average of `model`'s weights, warmed up so that early weights are soon forgotten."""

    def blend(averaged: Any, current: Any, count: Any) -> None:
        weight = 1 - min(decay, (1 + float(count)) / (10 + float(count)))
        torch._foreach_lerp_(averaged, current, weight)

    return torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=blend)


def cosine(optimizer: torch.optim.Optimizer, steps: int, warm_up: int = 100, hold: float = 0.0) -> LambdaLR:
    """Linear warm-up, full rate for the share `hold` of `steps`, then a cosine down to a hundredth."""

    def rate(step: int) -> float:
        if step < warm_up:
            return (step + 1) / warm_up
        share = max(0.0, (step / steps - hold) / (1 - hold))
        return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))

    return LambdaLR(optimizer, rate)


def arguments(
    description: str | None, steps: int, extend: Callable[[argparse.ArgumentParser], None] | None = None
) -> Any:
    """The options that every stage has, read from the command line; seeds every generator."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, help="of each process")
    parser.add_argument("--processes", type=int, default=1, help="that share each batch (CPU only)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    if extend:
        extend(parser)
    options = parser.parse_args()
    options.threads = options.threads or max(1, (os.cpu_count() or 1) // options.processes)
    parallel.prepare(options)
    return options
