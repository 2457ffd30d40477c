"""A UNet that carries a LoRA at any scale, each exact: merged from weights that never change."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from dmd2_demo.errors import DemoError

_PREFIX = "lora_unet_"


@dataclass(frozen=True)
class Target:
    """A layer of the UNet, its weight as its file has it, and what the LoRA adds to it: `factor` * `up` @ `down`."""

    layer: nn.Linear | nn.Conv2d
    pristine: torch.Tensor
    up: torch.Tensor
    down: torch.Tensor
    factor: float

    def merged(self, scale: float, device: torch.device) -> torch.Tensor:
        """The weight at that scale, computed in float64 on `device` and rounded once to the layer's type."""
        dtype = self.layer.weight.dtype
        # The layer's own weight without the LoRA is the file's in the layer's type: a merge adds to that one.
        as_bare = self.pristine.to(device).to(dtype)
        pristine, up, down = (tensor.to(device).to(torch.float64) for tensor in (as_bare, self.up, self.down))
        # (out, rank, 1, 1) @ (rank, in, h, w) is (out, in, h, w); linear layers lack the last two.
        delta = (up.flatten(1) @ down.flatten(1)).reshape(pristine.shape)
        return torch.add(pristine, delta, alpha=scale * self.factor).to(dtype)


class MergeableUNet:
    """`unet` with a LoRA at the scale set last; scale 0, the bare UNet, to begin with.

    `pristine` are the weights of `unet` by name, in the host's memory or mapped, in any type: on a GPU the UNet takes
    no more than it does without a LoRA. Those that the LoRA targets are kept and never written to. `unet` must hold
    its weights whenever a scale is set, which is computed on `merge_device`, or where the weights are. DemoError where
    the LoRA is for another model.
    """

    def __init__(
        self,
        unet: Any,
        pristine: Mapping[str, torch.Tensor],
        lora: Mapping[str, torch.Tensor],
        merge_device: torch.device | None = None,
    ) -> None:
        self.unet = unet
        self._merge_device = _exact(merge_device or unet.device)
        self._scale = 0.0
        self._targets = tuple(_targets(unet, pristine, lora))

    @property
    def scale(self) -> float:
        """The scale the UNet's weights are merged at."""
        return self._scale

    @torch.no_grad()
    def set_scale(self, scale: float) -> None:
        """Makes every targeted weight W0 + scale * alpha / rank * up @ down; bit for bit W0 at scale 0."""
        if scale == self._scale:
            return
        # What a failure half-way leaves must be merged again.
        self._scale = float("nan")
        for target in self._targets:
            target.layer.weight.copy_(target.merged(scale, self._merge_device) if scale else target.pristine)
        self._scale = scale


def _exact(device: torch.device) -> torch.device:
    """Not every kind of device computes in float64."""
    return device if device.type == "cuda" else torch.device("cpu")


def require_fit(unet: nn.Module, shapes: Mapping[str, Sequence[int]]) -> None:
    """Raises DemoError where a LoRA with tensors of these shapes, by name, is for another model than `unet`."""
    for name, _, layer in _layers(unet, shapes):
        up, down = shapes[f"{name}.lora_up.weight"], shapes[f"{name}.lora_down.weight"]
        if (up[0], *down[1:]) != tuple(layer.weight.shape) or math.prod(up[1:]) != down[0]:
            raise DemoError(f"This LoRA does not fit the base's UNet: {name[:80]} has another shape.")


def _layers(unet: nn.Module, lora: Mapping[str, Any]) -> Iterator[tuple[str, str, nn.Linear | nn.Conv2d]]:
    """The layers that a LoRA's keys name: its name for each, the UNet's, and the layer.

    DemoError for a key without its layer or a layer without its keys.
    """
    layers = {
        _PREFIX + name.replace(".", "_"): (name, module)
        for name, module in unet.named_modules()
        if isinstance(module, nn.Linear | nn.Conv2d)
    }
    for name in sorted({key.partition(".")[0] for key in lora}) or ["nothing"]:
        if name not in layers:
            raise DemoError(f"This LoRA does not fit the base's UNet: it is for {name[:80]}.")
        for kind in ("up", "down"):
            if f"{name}.lora_{kind}.weight" not in lora:
                raise DemoError(f"This LoRA is incomplete: {name[:80]}.lora_{kind}.weight is missing.")
        yield name, *layers[name]


def _targets(
    unet: nn.Module, pristine: Mapping[str, torch.Tensor], lora: Mapping[str, torch.Tensor]
) -> Iterator[Target]:
    """What each of the LoRA's layers adds to the UNet's. DemoError where they don't fit."""
    require_fit(unet, {name: tensor.shape for name, tensor in lora.items()})
    for name, place, layer in _layers(unet, lora):
        up, down = lora[f"{name}.lora_up.weight"], lora[f"{name}.lora_down.weight"]
        alpha = lora.get(f"{name}.alpha")
        factor = float(alpha) / down.shape[0] if alpha is not None else 1.0
        yield Target(layer, pristine[f"{place}.weight"], up, down, factor)
