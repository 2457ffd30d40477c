from __future__ import annotations

import pytest
import torch

from dmd2_demo.device.precision import choose, computes

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    ("works", "chosen"),
    [
        ({torch.float16, torch.bfloat16}, torch.float16),
        ({torch.bfloat16}, torch.bfloat16),
        (set(), torch.float32),
    ],
)
def test_a_gpu_computes_in_the_first_precision_that_works(works: set[torch.dtype], chosen: torch.dtype) -> None:
    assert choose(CUDA, lambda device, dtype: device == CUDA and dtype in works) == chosen


def test_a_cpu_computes_in_float32_whatever_else_works() -> None:
    assert choose(CPU, lambda device, dtype: True) == torch.float32


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_what_computes_right_is_seen_to(dtype: torch.dtype) -> None:
    assert computes(CPU, dtype)


def test_a_device_that_is_not_there_does_not_compute() -> None:
    assert not computes(torch.device("meta"), torch.float16)
