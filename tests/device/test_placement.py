from __future__ import annotations

import logging

import pytest
import torch

from dmd2_demo.device.attention import Attention
from dmd2_demo.device.memory import Memory
from dmd2_demo.device.placement import Placement, choose, release
from tests.tiny import make_text_encoders, make_unet


@pytest.mark.parametrize("memory", ["auto", "offload", "sequential"])
def test_a_cpu_computes_in_float32_with_everything_there(memory: str) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    placement = choose(memory, "sdpa")
    assert placement.described() == {"precision": "float32", "memory": "resident", "attention": "sdpa"}
    assert placement.memory.home == placement.device == torch.device("cpu")


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


def test_memory_can_be_given_back_at_any_time() -> None:
    release()
