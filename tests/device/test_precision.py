from __future__ import annotations

import logging
import time

import pytest
import torch

from dmd2_demo.device.precision import choose, choose_fastest_on_cpu, computes

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


class Cpu:
    """Takes those seconds for some work in full and in half; the first time in each type, ten times as long."""

    def __init__(self, full: float, half: float) -> None:
        self.seconds = {torch.float32: full, torch.bfloat16: half}
        self.worked: list[torch.dtype] = []

    def work(self, dtype: torch.dtype) -> float:
        first = dtype not in self.worked
        self.worked.append(dtype)
        return self.seconds[dtype] * (10 if first else 1)


@pytest.mark.parametrize(
    ("full", "half", "chosen"),
    [
        (0.1, 0.03, torch.bfloat16),
        (0.1, 0.079, torch.bfloat16),
        (0.1, 0.09, torch.float32),  # what it gains is not worth its rounding
        (0.1, 0.1, torch.float32),
        (0.1, 30.0, torch.float32),
    ],
)
def test_a_cpu_may_compute_in_bfloat16_where_that_is_seen_to_be_faster(
    full: float, half: float, chosen: torch.dtype
) -> None:
    assert choose_fastest_on_cpu(Cpu(full, half).work) == chosen


def test_neither_type_is_measured_later_or_more_often_than_the_other() -> None:
    cpu = Cpu(0.001, 0.001)
    choose_fastest_on_cpu(cpu.work)
    assert cpu.worked == [torch.float32, torch.bfloat16] * (len(cpu.worked) // 2)
    assert len(cpu.worked) > 2  # the first time in each is no measure


def test_the_choice_is_measured_on_this_cpu_in_seconds_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    started = time.monotonic()
    with caplog.at_level(logging.INFO):
        chosen = choose_fastest_on_cpu()
    assert time.monotonic() - started < 60
    assert chosen in (torch.float32, torch.bfloat16)
    assert f"computes in {str(chosen).removeprefix('torch.')}" in caplog.text


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_what_computes_right_is_seen_to(dtype: torch.dtype) -> None:
    assert computes(CPU, dtype)


def test_a_device_that_is_not_there_does_not_compute() -> None:
    assert not computes(torch.device("meta"), torch.float16)
