from __future__ import annotations

import pytest
import torch

from dmd2_demo.device.attention import Attention
from dmd2_demo.device.memory import Memory
from dmd2_demo.device.placement import Placement
from dmd2_demo.errors import DeviceFull
from dmd2_demo.generate.runtime import build_runtime
from dmd2_demo.progress import Progress, silent
from dmd2_demo.settings import Settings
from tests.embedded import FAMILY, text

CPU = torch.device("cpu")


def never() -> bool:
    return False


def test_it_makes_pictures_of_its_family_and_tells_how() -> None:
    runtime = build_runtime(FAMILY, Settings())
    assert runtime.backend.described() == {}
    told: list[Progress] = []
    made = list(runtime.studio.generate(text(steps=1), told.append, never))
    assert [picture.image.size for picture in made] == [FAMILY.sizes.default]
    assert told[0].sentence == "Starting up"
    assert runtime.backend.described()["memory"] == "resident"
    assert runtime.manager.status().loads == 4


def test_full_memory_on_a_cpu_is_a_sentence_and_what_is_resident_stays() -> None:
    if torch.cuda.is_available():
        pytest.skip("a GPU has tiers to fall to")
    runtime = build_runtime(FAMILY, Settings())
    list(runtime.studio.generate(text(steps=1), silent, never))

    def full(progress: Progress) -> None:
        if progress.sentence.startswith("Step"):
            raise torch.OutOfMemoryError("no room")

    with pytest.raises(DeviceFull, match="A smaller picture may fit"):
        list(runtime.studio.generate(text(steps=1), full, never))
    assert len(runtime.manager.status().resident) == 4
    assert list(runtime.studio.generate(text(steps=1), silent, never))


class Full:
    """A report that finds the memory full at the first step of its first `times` pictures."""

    def __init__(self, times: int) -> None:
        self.times = times

    def __call__(self, progress: Progress) -> None:
        if self.times and progress.sentence.startswith("Step 1"):
            self.times -= 1
            raise torch.OutOfMemoryError("no room")


def falling() -> Placement:
    """As on a GPU, but that both memories are the machine's."""
    return Placement(CPU, torch.float32, Attention("sdpa"), Memory(CPU, "resident", copy=torch.clone))


def test_a_full_device_falls_tier_by_tier_and_still_makes_the_same_picture() -> None:
    plain = next(build_runtime(FAMILY, Settings(), choose=falling).studio.generate(text(), silent, never))
    runtime = build_runtime(FAMILY, Settings(), choose=falling)
    for tier in ("offload", "sequential"):
        made = next(runtime.studio.generate(text(), Full(times=1), never))
        assert made.image.tobytes() == plain.image.tobytes()
        assert any("memory was full" in notice for notice in made.notices)
        assert runtime.backend.described()["memory"] == tier
    assert len(runtime.manager.status().resident) == 4


def test_two_failures_are_a_sentence_and_the_next_request_works() -> None:
    runtime = build_runtime(FAMILY, Settings(), choose=falling)
    with pytest.raises(DeviceFull, match="A smaller picture may fit"):
        list(runtime.studio.generate(text(), Full(times=2), never))
    assert len(runtime.manager.status().resident) == 4
    made = next(runtime.studio.generate(text(), silent, never))
    assert not any("memory was full" in notice for notice in made.notices)
