from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, ImageDraw

from dmd2_demo.device.memory import Memory, raising_device_full, tier_for
from dmd2_demo.device.offload import CopyToDevice
from dmd2_demo.errors import DeviceFull, Tier
from dmd2_demo.generate import pipelines
from dmd2_demo.generate.manager import PipelineManager
from dmd2_demo.generate.studio import Studio
from dmd2_demo.hub.hub import Hub
from dmd2_demo.models.parts import Part
from dmd2_demo.weights.loader import PartLoader
from tests.embedded import FAMILY, EmbeddedRuntime, canny, lora, text

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
GB = 10**9


def empty(device: torch.device) -> int:
    return 0


@pytest.mark.parametrize(
    ("free", "tier"),
    [
        (24 * GB, "resident"),
        (12.6 * GB, "resident"),
        (12 * GB, "offload"),
        (8 * GB, "offload"),
        (6 * GB, "sequential"),
        (4 * GB, "sequential"),
    ],
)
def test_the_fastest_tier_that_fits(free: float, tier: str) -> None:
    assert tier_for(int(free)) == tier


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB."),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
        RuntimeError("GET was unable to find an engine to execute this computation"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_full_memory_is_said_whoever_notices(error: RuntimeError) -> None:
    with pytest.raises(DeviceFull) as full, raising_device_full("offload"):
        raise error
    assert full.value.tier == "offload"


def test_other_errors_are_left_alone() -> None:
    with pytest.raises(RuntimeError, match="shapes"), raising_device_full("resident"):
        raise RuntimeError("shapes don't match")


def test_it_falls_tier_by_tier_and_says_so() -> None:
    memory = Memory(CUDA, "resident", free=empty)
    assert memory.home == CUDA
    assert "come to the device only for their work" in (memory.fall_back("resident") or "")
    assert (memory.tier, memory.home) == ("offload", CPU)
    assert "each layer" in (memory.fall_back("offload") or "")
    assert memory.tier == "sequential"
    assert memory.fall_back("sequential") is None


def test_two_requests_that_fail_in_one_tier_fall_once() -> None:
    memory = Memory(CUDA, "resident", free=empty)
    assert memory.fall_back("resident")
    assert memory.fall_back("resident")
    assert memory.tier == "offload"


def test_on_a_cpu_there_is_nowhere_to_fall_to() -> None:
    memory = Memory(CPU, "resident", tiers=("resident",))
    assert memory.fall_back("resident") is None
    assert memory.tier == "resident"
    assert memory.room(0) > 0


def test_room_is_what_is_free_where_parts_wait_less_what_work_needs() -> None:
    asked: list[torch.device] = []

    def free(device: torch.device) -> int:
        asked.append(device)
        return 10 * GB

    assert 6 * GB < Memory(CUDA, "resident", free=free).room(2_500_000_000) < 8 * GB
    assert 9 * GB < Memory(CUDA, "offload", free=free).room(2_500_000_000) < 10 * GB
    assert asked == [CUDA, CPU]


class Copies:
    """Stand for the device's memory. `made` counts them."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, tensor: torch.Tensor) -> torch.Tensor:
        self.made += 1
        return tensor.clone()


def runtime_of(memory: Memory, converted: Path) -> EmbeddedRuntime:
    weights = PartLoader(Hub(), CPU, torch.float32, converted, merge_device=CPU)

    def load(part: Part) -> Any:
        loaded = weights.load(part)
        memory.place(loaded.networks, part.working)
        return loaded.module

    manager = PipelineManager(
        fetch=weights.fetch, load=load, assemble=pipelines.assemble, release=lambda: None, room=memory.room
    )
    return EmbeddedRuntime(Studio(FAMILY, manager.lease), manager)


@pytest.mark.parametrize("tier", ["offload", "sequential"])
@pytest.mark.parametrize("crowded", [True, False])
def test_every_tab_makes_the_same_picture_in_every_tier(tier: Tier, crowded: bool, tmp_path: Path) -> None:
    def free(device: torch.device) -> int:
        return 0 if crowded else 100 * GB

    drawing = Image.new("RGB", (64, 64))
    ImageDraw.Draw(drawing).circle((32, 32), 20, (255, 255, 255))
    copies = Copies()
    copy: CopyToDevice = copies
    placed = runtime_of(Memory(CPU, tier, free=free, copy=copy), tmp_path)
    plain = EmbeddedRuntime.open(tmp_path)
    # The tabs share modules; the LoRA's weights are written to between pictures.
    for request in (
        text(steps=4),
        canny(drawing),
        text(steps=1),
        lora(lora_scale=1.0),
        lora(lora_scale=0.5),
        text(steps=4),
        lora(lora_scale=0),
        lora(lora_scale=0.5),
    ):
        assert placed.make(request).tobytes() == plain.make(request).tobytes()
    assert copies.made > 0
