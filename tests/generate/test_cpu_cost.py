from __future__ import annotations

from typing import Any

import pytest

from dmd2_demo.device.host_memory import HostMemory
from dmd2_demo.generate.cpu_cost import CpuCost
from dmd2_demo.generate.requests import CannyGuided, CommunityLora, TextToImage
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.family import OnCpu

GB = 10**9
FAMILY = FAMILIES["sdxl"].for_cpu()


def cost(precision: str = "bfloat16") -> CpuCost:
    assert isinstance(FAMILY.on_cpu, OnCpu)
    return CpuCost(FAMILY.on_cpu, lambda: precision, lambda: HostMemory(16 * GB, 12 * GB))


def text(**changes: Any) -> TextToImage:
    return TextToImage.blank(FAMILY, **({"steps": 1} | changes))


def test_memory_is_told_before_anything_was_made() -> None:
    told = cost().tell(text())
    assert "in bfloat16, 512 × 512 takes about 7.6 GB of the machine's 16 GB of memory" in told
    assert "is measured with the first" in told
    assert "DMD2 was trained at 1024 × 1024" in told


@pytest.mark.parametrize(
    ("request_", "float32"),
    [
        (text(), 15.1),
        (text(tiny_vae=True), 14.3),
        (text(width=1024, height=1024), 18.9),
        (CommunityLora.blank(FAMILY), 15.9),
        (CannyGuided.blank(FAMILY), 15.4),
    ],
)
def test_memory_is_that_of_models_and_work_in_the_precision(request_: Any, float32: float) -> None:
    assert CpuCost.memory(request_, 4) == pytest.approx(float32 * GB, abs=0.06 * GB)
    assert CpuCost.memory(request_, 2) * 2 == CpuCost.memory(request_, 4)


def test_time_is_what_the_last_picture_of_the_kind_took() -> None:
    told = cost()
    told.made(text(), 50.0)
    told.made(text(), 43.2)
    assert "A picture like this took 43.2 s." in told.tell(text(prompt="another", seed=7))


def test_for_another_kind_of_picture_it_is_the_last_ones_and_says_which() -> None:
    told = cost()
    told.made(text(), 43.2)
    told.made(text(steps=4, tiny_vae=True), 61.0)
    said = told.tell(text(width=1024, height=1024))
    assert "The last picture (512 × 512 · 4 steps · tiny VAE) took 61 s." in said
    assert "A picture like this took 43.2 s." in told.tell(text())
