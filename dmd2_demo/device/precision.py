"""In which number type a device computes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional


def choose(device: torch.device, works: Callable[[torch.device, torch.dtype], bool] | None = None) -> torch.dtype:
    """float16, SDXL's own, on a GPU; where it does not compute right, bfloat16 or float32. float32 on a CPU.

    CPUs take hundreds of times longer in half precision. Some GPUs (GTX 16) give NaN in float16 convolutions.
    """
    if device.type != "cpu":
        for dtype in (torch.float16, torch.bfloat16):
            if (works or computes)(device, dtype):
                return dtype
    return torch.float32


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
