from __future__ import annotations

import gc
from collections.abc import Callable

import pytest
import torch
from diffusers.utils.torch_utils import get_module_execution_device
from torch import nn

from dmd2_demo.device.offload import Onloader, TemporaryCopies, onload_each_layer

CPU = torch.device("cpu")
META = torch.device("meta")


class Copier:
    """Its copies stand for tensors on the device; copy number `fails_at` finds no room, once."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.copies: list[torch.Tensor] = []
        self.fails_at = fails_at

    def __call__(self, tensor: torch.Tensor) -> torch.Tensor:
        if len(self.copies) == self.fails_at:
            self.fails_at = None
            raise torch.OutOfMemoryError("no room")
        self.copies.append(tensor.clone())
        return self.copies[-1]

    def holds(self, tensor: torch.Tensor) -> bool:
        return any(copy.data_ptr() == tensor.data_ptr() for copy in self.copies)


def pointers(module: nn.Module) -> list[int]:
    return [tensor.data_ptr() for tensor in (*module.parameters(), *module.buffers())]


def norm() -> nn.Module:
    """Parameters and buffers."""
    return nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)).eval().requires_grad_(False)


def test_a_trip_there_and_back_leaves_everything_where_and_as_it_was() -> None:
    copier, module = Copier(), norm()
    before, homes = {name: tensor.clone() for name, tensor in module.state_dict().items()}, pointers(module)
    copies = TemporaryCopies()
    copies.onload(module.parameters(), copier)
    assert all(copier.holds(tensor) for tensor in module.parameters())
    copies.offload()
    assert pointers(module) == homes
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())


def test_what_was_written_on_the_device_is_kept_and_nothing_else_is_copied() -> None:
    copier = Copier()
    written, read = torch.zeros(3), torch.zeros(3)
    copies = TemporaryCopies()
    copies.onload((written, read), copier)
    written.copy_(torch.ones(3))
    copier.copies[1].fill_(7)  # behind its back: what comes home would show a copy
    copies.offload()
    assert written.tolist() == [1, 1, 1]
    assert read.tolist() == [0, 0, 0]


def test_a_device_without_room_takes_nothing() -> None:
    module = norm()
    homes = pointers(module)
    with pytest.raises(torch.OutOfMemoryError):
        TemporaryCopies().onload(module.parameters(), Copier(fails_at=2))
    assert pointers(module) == homes


class Device:
    """A onloader of `size` bytes that tells what is free."""

    def __init__(self, size: int) -> None:
        self.size, self.copier = size, Copier()
        self.onloader = Onloader(CPU, self.free, self.copier)

    def free(self) -> int:
        return self.size - sum(
            sum(tensor.nbytes for tensor in module.parameters()) for module in self.onloader.onloaded()
        )

    def module(self, working: int = 0) -> nn.Module:
        """A module of 16 bytes."""
        module = nn.Linear(4, 1, bias=False).requires_grad_(False)
        self.onloader.place(module, working)
        return module


def test_modules_come_for_their_work_and_stay_while_there_is_room() -> None:
    device = Device(size=32)
    one, two = device.module(), device.module()
    assert device.onloader.onloaded() == ()
    one(torch.ones(4))
    assert copied(device, one)
    two(torch.ones(4))
    one(torch.ones(4))
    assert len(device.copier.copies) == 2
    assert device.onloader.onloaded() == (two, one)


def copied(device: Device, module: nn.Module) -> bool:
    return all(device.copier.holds(tensor) for tensor in module.parameters())


def test_who_worked_longest_ago_leaves_for_the_next() -> None:
    device = Device(size=32)
    one, two, three = device.module(), device.module(), device.module()
    for module in (one, two, one, three):
        module(torch.ones(4))
    assert device.onloader.onloaded() == (one, three)
    assert not copied(device, two)


def test_others_leave_for_the_work_of_one_that_is_there_already() -> None:
    device = Device(size=40)
    hungry, other = device.module(working=20), device.module()
    hungry(torch.ones(4))
    other(torch.ones(4))
    assert device.onloader.onloaded() == (hungry, other)
    hungry(torch.ones(4))
    assert device.onloader.onloaded() == (hungry,)


def test_a_module_that_does_not_fit_alone_is_still_tried() -> None:
    device = Device(size=8)
    module = device.module()
    module(torch.ones(4))
    assert device.onloader.onloaded() == (module,)


def test_a_failed_arrival_can_be_repeated() -> None:
    device = Device(size=128)
    module = device.module()
    expected = module(torch.ones(4))
    other = nn.Linear(4, 4).requires_grad_(False)
    device.onloader.place(other, 0)
    device.copier.fails_at = len(device.copier.copies) + 1
    with pytest.raises(torch.OutOfMemoryError):
        other(torch.ones(4))
    assert device.onloader.onloaded() == (module,)
    other(torch.ones(4))
    assert device.onloader.onloaded() == (module, other)
    assert torch.equal(module(torch.ones(4)), expected)


def test_a_dropped_module_is_gone_from_the_device() -> None:
    device = Device(size=64)
    module = device.module()
    module(torch.ones(4))
    del module
    gc.collect()
    assert device.onloader.onloaded() == ()


@pytest.mark.parametrize("place", [lambda module: Onloader(META, lambda: 0, Copier()).place(module, 0), None])
def test_diffusers_finds_the_device_to_work_on(place: Callable[[nn.Module], None] | None) -> None:
    module = norm()
    if place:
        place(module)
    else:
        onload_each_layer(module, META, Copier())
    assert get_module_execution_device(module) == META


def test_layers_pass_through_one_after_the_other() -> None:
    plain, copier = norm(), Copier()
    module = norm()
    module.load_state_dict(plain.state_dict())
    homes = pointers(module)
    onload_each_layer(module, CPU, copier)
    x = torch.randn(2, 4)
    assert torch.equal(module(x), plain(x))
    assert pointers(module) == homes
    assert len(copier.copies) == len(homes)


def test_a_layer_that_raised_comes_home_with_its_next_work() -> None:
    layer = nn.Linear(4, 4).requires_grad_(False)
    homes = pointers(layer)
    onload_each_layer(layer, CPU, Copier())
    with pytest.raises(RuntimeError):
        layer(torch.ones(5))
    layer.weight.copy_(torch.zeros(4, 4))
    assert torch.equal(layer(torch.ones(4)), layer.bias)
    assert pointers(layer) == homes
