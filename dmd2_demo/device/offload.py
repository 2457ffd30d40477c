"""Modules whose weights wait in the machine's memory and come to the device for their work.

diffusers' own offloading belongs to a pipeline; ours to a module, which several pipelines share. The hooks are
accelerate's, so that diffusers finds the device to work on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any
from weakref import WeakKeyDictionary

import torch
from accelerate.hooks import ModelHook, add_hook_to_module
from torch import nn

Carry = Callable[[torch.Tensor], torch.Tensor]
"""A copy of a tensor on the device."""


def carry_to(device: torch.device) -> Carry:
    """By an ordinary copy."""
    return lambda tensor: tensor.to(device)


class Trip:
    """Tensors that are on the device until `back`, which takes home what was written to them meanwhile."""

    def __init__(self) -> None:
        self._away: list[tuple[torch.Tensor, torch.Tensor, int]] = []

    def go(self, tensors: Iterable[torch.Tensor], carry: Carry) -> None:
        """Takes them there; all or none, where the device has no room."""
        try:
            for tensor in tensors:
                home = tensor.data
                tensor.data = carry(home)
                self._away.append((tensor, home, _writes(tensor)))
        except BaseException:
            self.back()
            raise

    def back(self) -> None:
        """Takes them home. What nobody wrote to is not copied again."""
        for tensor, home, writes in self._away:
            if _writes(tensor) != writes:
                home.copy_(tensor.data)
            tensor.data = home
        self._away.clear()


class Stage:
    """The whole modules that are on the device: who worked longest ago leaves when another needs the room.

    `free` tells the bytes that are free there now.
    """

    def __init__(self, device: torch.device, free: Callable[[], int], carry: Carry) -> None:
        self.device, self._free, self._carry = device, free, carry
        # Weak: a part that the manager drops is gone.
        self._there: WeakKeyDictionary[nn.Module, Trip] = WeakKeyDictionary()

    def place(self, module: nn.Module, working: int) -> None:
        """From now on `module` comes for its work, which takes `working` bytes beside its weights, and stays."""
        add_hook_to_module(module, _Enters(self, working))

    def enter(self, module: nn.Module, working: int) -> None:
        """Brings the module, after others left as far as it needs."""
        trip = self._there.get(module)
        needed = working + (sum(tensor.nbytes for tensor in _tensors(module)) if trip is None else 0)
        for other in [other for other in self._there if other is not module]:
            if self._free() >= needed:
                break
            self._there.pop(other).back()
        if trip is None:
            trip = Trip()
            trip.go(_tensors(module), self._carry)
        self._there.pop(module, None)  # the last one to work is the last to leave
        self._there[module] = trip

    def present(self) -> tuple[nn.Module, ...]:
        """Who is on the device; who worked longest ago comes first."""
        return tuple(self._there)


class _Enters(ModelHook):  # type: ignore[misc]
    def __init__(self, stage: Stage, working: int) -> None:
        self.execution_device, self._stage, self._working = stage.device, stage, working

    def pre_forward(self, module: nn.Module, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        self._stage.enter(module, self._working)
        return args, kwargs


def pass_through(module: nn.Module, device: torch.device, carry: Carry) -> None:
    """From now on each layer of `module` has its weights on the device only while it computes."""
    for layer in module.modules():
        if layer is module or any(True for _ in _tensors(layer, recurse=False)):
            add_hook_to_module(layer, _PassesThrough(device, carry))


class _PassesThrough(ModelHook):  # type: ignore[misc]
    def __init__(self, device: torch.device, carry: Carry) -> None:
        self.execution_device, self._carry, self._trip = device, carry, Trip()

    def pre_forward(self, module: nn.Module, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        self._trip.back()  # a forward that raised did not get to it
        self._trip.go(_tensors(module, recurse=False), self._carry)
        return args, kwargs

    def post_forward(self, module: nn.Module, output: Any) -> Any:  # noqa: ARG002 - accelerate's signature
        self._trip.back()
        return output


def _writes(tensor: torch.Tensor) -> int:
    """How often it was written to in place: autograd's own count, which setting `data` does not change."""
    return tensor._version  # noqa: SLF001 - documented, for all its underscore


def _tensors(module: nn.Module, *, recurse: bool = True) -> Iterable[torch.Tensor]:
    return chain(module.parameters(recurse), module.buffers(recurse))
