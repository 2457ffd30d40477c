"""How long a request may hold a GPU that is lent by the second."""

from __future__ import annotations

import math

from dmd2_demo.generate.request import Request

# Seconds, estimated from SDXL's work on GPUs of that class and not measured on ZeroGPU.
_COLD = 15.0  # a new process takes every part to the GPU, and which process it will be is known only afterwards
_STEP, _DECODE, _ENCODE = 0.35, 0.6, 0.4  # for a million pixels
_MERGE = 3.0  # a LoRA's new scale: computed in float64, from weights that wait in the machine's memory


def gpu_seconds(request: Request) -> int:
    """The seconds to ask for. They are held against what is left of a visitor's day before anything runs."""
    width, height = request.size
    megapixels = width * height / 1e6
    encoding = _ENCODE if request.start else 0.0
    a_picture = (len(request.schedule) * _STEP + _DECODE + encoding) * megapixels
    merging = _MERGE if request.lora_scales() else 0.0
    return math.ceil(_COLD + merging + request.pictures * a_picture)
