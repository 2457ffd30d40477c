"""One stage in several processes that share each batch: on a CPU, faster than one process with as many threads."""

from __future__ import annotations

import random
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import distributed, multiprocessing, nn


def launch(stage: Callable[[Any], None], options: Any) -> None:
    """Runs `stage(options)` in `options.processes` processes, each with its own random numbers."""
    if options.processes == 1:
        stage(options)
        return
    # A process that is told to end leaves no others behind: daemons end with it, if it ends by itself.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory() as folder:
        multiprocessing.spawn(  # type: ignore[attr-defined]
            _member, (stage, options, Path(folder) / "meeting"), options.processes, daemon=True
        )


def _member(rank: int, stage: Callable[[Any], None], options: Any, meeting: Path) -> None:
    distributed.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=options.processes)
    prepare(options)
    stage(options)
    distributed.destroy_process_group()


def prepare(options: Any) -> None:
    """Sets threads and seeds as the options say."""
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed + 1000 * rank())
    random.seed(options.seed + 1000 * rank())


def rank() -> int:
    """The number of this process; the first one, 0, saves and reports."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def size() -> int:
    """How many processes share a batch."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def first_alone(make: Callable[[], None]) -> None:
    """Runs `make` in the first process while the others wait for what it writes."""
    if rank() == 0:
        make()
    if size() > 1:
        distributed.barrier()


def agree(module: nn.Module) -> None:
    """Gives every process the first one's weights."""
    if size() > 1:
        for tensor in module.state_dict().values():
            distributed.broadcast(tensor, 0)


def descend(optimizer: torch.optim.Optimizer, loss: torch.Tensor, parameters: list[nn.Parameter]) -> None:
    """One step of `optimizer` down the gradient of `loss`, a mean over each process's part, at a norm of at most 1."""
    loss.backward()
    _share_gradients(parameters)
    nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    optimizer.zero_grad()


def _share_gradients(parameters: list[nn.Parameter]) -> None:
    """Averages gradients over the processes."""
    if size() == 1:
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= size()
    for gradient, part in zip(gradients, flat.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))
