from __future__ import annotations

import logging
from typing import Literal

import pytest
import torch

from dmd2_demo.device.attention import Attention
from dmd2_demo.device.memory import Memory
from dmd2_demo.device.placement import Placement, choose, release
from dmd2_demo.errors import OutOfMemory, Tier
from tests.tiny import make_text_encoders, make_unet

GB = 10**9


@pytest.mark.parametrize("memory", ["auto", "offload", "sequential"])
def test_a_cpu_computes_in_float32_with_everything_there(memory: Tier | Literal["auto"]) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    placement = choose(memory, "sdpa")
    assert placement.described() == {"precision": "float32", "memory": "resident", "attention": "sdpa"}
    assert placement.memory.home == placement.device == torch.device("cpu")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("fastest", [True, False])
def test_the_operators_precision_counts_whatever_is_faster(precision: str, fastest: bool) -> None:
    placement = choose("auto", "sdpa", precision, has_gpu=False, fastest_on_cpu=fastest)
    assert placement.described()["precision"] == precision


def test_why_xformers_can_not_be_used_is_told_to_the_operator(caplog: pytest.LogCaptureFixture) -> None:
    if torch.cuda.is_available():
        pytest.skip("xformers may work here")
    with caplog.at_level(logging.WARNING):
        assert choose("auto", "xformers").attention.kernel == "sdpa"
    assert "xformers can't be used here" in caplog.text


def test_a_resident_part_is_left_as_it_was_loaded() -> None:
    unet = make_unet()
    cpu = torch.device("cpu")
    Placement(cpu, torch.float32, Attention("sdpa"), Memory(cpu, "resident")).place([unet], 0)
    assert not hasattr(unet, "_hf_hook")


def test_every_network_of_a_part_is_placed() -> None:
    one, two = make_text_encoders()
    cpu = torch.device("cpu")
    placement = Placement(cpu, torch.float32, Attention("sdpa"), Memory(cpu, "offload"))
    placement.place([one, two], 0)
    assert hasattr(one, "_hf_hook")
    assert hasattr(two, "_hf_hook")


def placed(device: str, dtype: torch.dtype, free: int) -> Placement:
    where = torch.device(device)
    return Placement(where, dtype, Attention("sdpa"), Memory(where, "resident", free=lambda _: free))


def test_on_a_cpu_what_can_not_fit_is_refused_in_a_sentence() -> None:
    cpu = placed("cpu", torch.float32, 6 * GB)
    cpu.require_room(2 * GB, 2 * GB)
    with pytest.raises(
        OutOfMemory,
        match=r"^This machine has too little memory for this: it takes 11 GB for models and 5\.0 GB for the picture, "
        r"and 6\.0 GB can be had\.$",
    ):
        cpu.require_room(10_600_000_000, 2_500_000_000)
    with pytest.raises(OutOfMemory, match=r"takes 10 GB for the picture, .* A smaller picture may fit\.$"):
        cpu.require_room(0, 5 * GB)


def test_a_gpu_is_tried_and_says_so_itself() -> None:
    placed("cuda", torch.float16, 0).require_room(10 * GB, 10 * GB)


def test_room_counts_work_in_the_precision_it_is_done_in() -> None:
    assert placed("cuda", torch.float16, 10 * GB).room(2 * GB) == 8 * GB
    assert placed("cpu", torch.float32, 10 * GB).room(2 * GB) == 6 * GB


def test_memory_can_be_given_back_at_any_time() -> None:
    release()
