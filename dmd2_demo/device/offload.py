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

CopyToDevice = Callable[[torch.Tensor], torch.Tensor]
"""A copy of a tensor on the device."""


def copying_to(device: torch.device) -> CopyToDevice:
    """By an ordinary copy."""
    return lambda tensor: tensor.to(device)


class TemporaryCopies:
    """Tensors that are on the device until `offload`, which takes home what was written to them meanwhile."""

    def __init__(self) -> None:
        self._away: list[tuple[torch.Tensor, torch.Tensor, int]] = []

    def onload(self, tensors: Iterable[torch.Tensor], copy: CopyToDevice) -> None:
        """Takes them there; all or none, where the device has no room."""
        try:
            for tensor in tensors:
                home = tensor.data
                tensor.data = copy(home)
                self._away.append((tensor, home, _writes(tensor)))
        except BaseException:
            self.offload()
            raise

    def offload(self) -> None:
        """Takes them home. What nobody wrote to is not copied again."""
        for tensor, home, writes in self._away:
            if _writes(tensor) != writes:
                home.copy_(tensor.data)
            tensor.data = home
        self._away.clear()


class Onloader:
    """The whole modules that are on the device: who worked longest ago leaves when another needs the room.

    `free` tells the bytes that are free there now.
    """

    def __init__(self, device: torch.device, free: Callable[[], int], copy: CopyToDevice) -> None:
        self.device, self._free, self._copy = device, free, copy
        # Weak: a part that the manager drops is gone.
        self._onloaded: WeakKeyDictionary[nn.Module, TemporaryCopies] = WeakKeyDictionary()

    def place(self, module: nn.Module, working: int) -> None:
        """From now on `module` comes for its work, which takes `working` bytes beside its weights, and stays."""
        add_hook_to_module(module, _OnloadsModule(self, working))

    def onload(self, module: nn.Module, working: int) -> None:
        """Brings the module, after others left as far as it needs."""
        copies = self._onloaded.get(module)
        needed = working + (sum(tensor.nbytes for tensor in _tensors(module)) if copies is None else 0)
        for other in [other for other in self._onloaded if other is not module]:
            if self._free() >= needed:
                break
            self._onloaded.pop(other).offload()
        if copies is None:
            copies = TemporaryCopies()
            copies.onload(_tensors(module), self._copy)
        self._onloaded.pop(module, None)  # the last one to work is the last to leave
        self._onloaded[module] = copies

    def onloaded(self) -> tuple[nn.Module, ...]:
        """Who is on the device; who worked longest ago comes first."""
        return tuple(self._onloaded)


class _OnloadsModule(ModelHook):  # type: ignore[misc]
    def __init__(self, onloader: Onloader, working: int) -> None:
        self.execution_device, self._onloader, self._working = onloader.device, onloader, working

    def pre_forward(self, module: nn.Module, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        self._onloader.onload(module, self._working)
        return args, kwargs


def onload_each_layer(module: nn.Module, device: torch.device, copy: CopyToDevice) -> None:
    """From now on each layer of `module` has its weights on the device only while it computes."""
    for layer in module.modules():
        if layer is module or any(True for _ in _tensors(layer, recurse=False)):
            add_hook_to_module(layer, _OnloadsLayer(device, copy))


class _OnloadsLayer(ModelHook):  # type: ignore[misc]
    def __init__(self, device: torch.device, copy: CopyToDevice) -> None:
        self.execution_device, self._copy, self._copies = device, copy, TemporaryCopies()

    def pre_forward(self, module: nn.Module, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        self._copies.offload()  # a forward that raised did not get to it
        self._copies.onload(_tensors(module, recurse=False), self._copy)
        return args, kwargs

    def post_forward(self, module: nn.Module, output: Any) -> Any:  # noqa: ARG002 - accelerate's signature
        self._copies.offload()
        return output


def _writes(tensor: torch.Tensor) -> int:
    """How often it was written to in place: autograd's own count, which setting `data` does not change."""
    return tensor._version  # noqa: SLF001 - documented, for all its underscore


def _tensors(module: nn.Module, *, recurse: bool = True) -> Iterable[torch.Tensor]:
    return chain(module.parameters(recurse), module.buffers(recurse))
