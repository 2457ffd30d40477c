from __future__ import annotations

import torch

from dmd2_demo.device.zero_gpu import DeferredMemory, choose
from tests.tiny import make_unet


def test_parts_are_read_in_the_machines_memory_and_moved_whole() -> None:
    memory = DeferredMemory(torch.device("meta"))
    assert memory.home == torch.device("cpu")
    unet = make_unet()
    memory.place([unet], 0)
    assert {parameter.device for parameter in unet.parameters()} == {torch.device("meta")}
    assert not hasattr(unet, "_hf_hook")


def test_it_is_half_precision_with_room_for_everything_and_no_tier_to_fall_to() -> None:
    chosen = choose()
    assert chosen.described() == {"precision": "float16", "memory": "resident", "attention": "sdpa"}
    assert chosen.memory.room(0) > 1e12
    assert chosen.memory.fall_back("resident") is None
