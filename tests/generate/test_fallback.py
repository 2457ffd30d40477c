from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from dmd2_demo.errors import DemoError, DeviceFull
from dmd2_demo.generate.fallback import no_fallback, with_fallback


@dataclass
class Device:
    """Runs out of memory `times` times; `fell` is from which tiers."""

    times: int
    fell: list[str] = field(default_factory=list)
    made: int = 0
    on_fall: Callable[[], None] = lambda: None

    def make(self) -> str:
        self.made += 1
        if self.made <= self.times:
            raise DeviceFull("resident")
        return "picture"

    def fall(self, tier: str) -> str:
        self.on_fall()
        self.fell.append(tier)
        return "It fell."


def test_what_fits_is_made_once_and_nothing_is_said() -> None:
    device = Device(times=0)
    assert with_fallback(device.make, device.fall) == ("picture", ())
    assert (device.made, device.fell) == (1, [])


def test_what_does_not_fit_falls_one_tier_is_made_again_and_says_so() -> None:
    device = Device(times=1)
    assert with_fallback(device.make, device.fall) == ("picture", ("It fell.",))
    assert device.fell == ["resident"]


def test_second_failure_is_a_sentence() -> None:
    device = Device(times=2)
    with pytest.raises(DemoError, match="too little memory"):
        with_fallback(device.make, device.fall)
    assert (device.made, device.fell) == (2, ["resident"])


def test_where_no_tier_is_left_it_is_not_tried_again() -> None:
    device = Device(times=1)
    with pytest.raises(DeviceFull):
        with_fallback(device.make, no_fallback)
    assert device.made == 1


def test_other_errors_go_through() -> None:
    def make() -> str:
        raise DemoError("no such base")

    device = Device(times=0)
    with pytest.raises(DemoError, match="no such base"):
        with_fallback(make, device.fall)
    assert device.fell == []


class Tensor:
    """Something that takes memory."""


def test_what_the_failed_try_held_is_free_when_it_falls() -> None:
    held: list[weakref.ref[Tensor]] = []

    def make() -> str:
        tensor = Tensor()
        held.append(weakref.ref(tensor))
        return device.make()

    def check() -> None:
        assert held[0]() is None

    device = Device(times=1, on_fall=check)
    assert with_fallback(make, device.fall)[0] == "picture"
    assert len(held) == 2
