"""In which number type a device computes."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable

import torch
from torch.nn import functional

_log = logging.getLogger(__name__)

BY_NAME = {"float32": torch.float32, "bfloat16": torch.bfloat16}
"""What an operator may choose."""

# bfloat16 rounds 65 thousand times more coarsely: it must be worth that.
_WORTH = 0.8
_ROUNDS, _PATIENCE = 8, 1.0  # of work in each type, and seconds after which no more begin


def choose(device: torch.device, works: Callable[[torch.device, torch.dtype], bool] | None = None) -> torch.dtype:
    """float16, SDXL's own, on a GPU; where it does not compute right, bfloat16 or float32. float32 on a CPU.

    CPUs take hundreds of times longer in float16. Some GPUs (GTX 16) give NaN in float16 convolutions.
    """
    if device.type != "cpu":
        for dtype in (torch.float16, torch.bfloat16):
            if (works or computes)(device, dtype):
                return dtype
    return torch.float32


def choose_fastest_on_cpu(work: Callable[[torch.dtype], float] | None = None) -> torch.dtype:
    """bfloat16 where this CPU is seen to be faster in it than in float32: those with units for it are.

    `work` does some in a type and tells the seconds that it took.
    """
    work = work or _work
    full = half = math.inf
    started = time.monotonic()
    for _ in range(_ROUNDS):  # in turns: what else the machine does must not hit one of them alone
        full, half = min(full, work(torch.float32)), min(half, work(torch.bfloat16))
        if time.monotonic() - started > _PATIENCE:
            break
    chosen = torch.bfloat16 if half < _WORTH * full else torch.float32
    _log.info(
        "Some work takes this CPU %.1f ms in float32 and %.1f ms in bfloat16: it computes in %s.",
        full * 1e3,
        half * 1e3,
        str(chosen).removeprefix("torch."),
    )
    return chosen


def _work(dtype: torch.dtype) -> float:
    """The seconds that a matrix product and a convolution take, of a UNet's kind and 0.2 billion multiplications."""
    generator = torch.Generator().manual_seed(0)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator).to(dtype)

    tokens, weight = random(128, 640), random(640, 640)
    image, kernel = random(1, 128, 32, 32), random(128, 128, 3, 3)
    started = time.perf_counter()
    functional.linear(tokens, weight)
    functional.conv2d(image, kernel, padding=1)
    return time.perf_counter() - started


def computes(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether a small convolution comes out right there."""
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(1, 64, 16, 16, generator=generator).to(dtype)
    kernel = torch.randn(64, 64, 3, 3, generator=generator).div(24).to(dtype)
    expected = functional.conv2d(image.float(), kernel.float())
    try:
        found = functional.conv2d(image.to(device), kernel.to(device)).float().cpu()
    except RuntimeError:
        return False
    return torch.allclose(found, expected, atol=0.05)
