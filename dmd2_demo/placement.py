"""Which device computes, and in which precision. The only place that knows."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Placement:
    """Where modules live and in which dtype they compute."""

    device: torch.device
    dtype: torch.dtype


def choose() -> Placement:
    """CUDA in half precision where there is one, else the CPU in float32, the only one it is fast in."""
    import torch  # noqa: PLC0415 - the page opens before torch is there

    if torch.cuda.is_available():
        return Placement(torch.device("cuda"), torch.float16)
    return Placement(torch.device("cpu"), torch.float32)


def release() -> None:
    """Returns freed memory to the device."""
    import gc  # noqa: PLC0415

    import torch  # noqa: PLC0415

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def cuda_device_name() -> str | None:
    """The first CUDA device's name, asked of the driver itself, in milliseconds; None where there is none."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return None
    device = ctypes.c_int()
    name = ctypes.create_string_buffer(256)
    # Each call gives 0 where it worked; without a device the first or second does not.
    failed = (
        driver.cuInit(0)
        or driver.cuDeviceGet(ctypes.byref(device), 0)
        or driver.cuDeviceGetName(name, len(name), device)
    )
    if failed:
        return None
    return name.value.decode(errors="replace")
