"""The name of the device, for a page that does not wait for torch."""

from __future__ import annotations

import ctypes
import sys


def cuda_device_name() -> str | None:
    """The first CUDA device's name, asked of the driver itself, in milliseconds; None where there is none."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return None
    device = ctypes.c_int()
    name = ctypes.create_string_buffer(256)
    # Each call gives 0 where it worked; without a device the first or second does not.
    try:
        failed = (
            driver.cuInit(0)
            or driver.cuDeviceGet(ctypes.byref(device), 0)
            or driver.cuDeviceGetName(name, len(name), device)
        )
    except AttributeError:  # not the driver, but something with its name
        return None
    if failed:
        return None
    return name.value.decode(errors="replace")
