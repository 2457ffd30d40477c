"""Networks that carry LoRAs at any scales, each exact: merged in one go from weights that never change."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from dmd2_demo.errors import DemoError

_LARGEST_RANK = 2048  # in float64 a layer of it takes 0.2 GB; published ones have 256 at the most, or some 1024
_SAME = 0.9  # the least cosine of a LoRA and itself in another precision; that of two made apart is near 0


@dataclass(frozen=True, eq=False)
class LoraLayer:
    """What a LoRA adds to one layer at scale 1: `factor` * `up` @ `down`."""

    up: torch.Tensor
    down: torch.Tensor
    factor: float

    def delta(self, shape: torch.Size, device: torch.device) -> torch.Tensor:
        """`up` @ `down` in float64 on `device`, as a weight of that shape."""
        return self.product(device).reshape(shape)

    def product(self, device: torch.device) -> torch.Tensor:
        """The same as a matrix."""
        up, down = (tensor.to(device).to(torch.float64) for tensor in (self.up, self.down))
        # (out, rank, 1, 1) @ (rank, in, h, w) is (out, in, h, w); linear layers lack the last two.
        return up.flatten(1) @ down.flatten(1)


LoraLayers = Mapping[str, LoraLayer]
"""What a LoRA adds to a network, by the names of its layers."""


@dataclass(frozen=True)
class LoadedLora:
    """What a LoRA adds to the UNet and to both text encoders."""

    unet: LoraLayers
    text_encoder: LoraLayers = field(default_factory=dict)
    text_encoder_2: LoraLayers = field(default_factory=dict)

    @property
    def changes_encoders(self) -> bool:
        """Whether there is something for a text encoder in it."""
        return bool(self.text_encoder or self.text_encoder_2)


def alike(one: LoraLayers, other: LoraLayers) -> bool:
    """Whether two LoRAs go the same way in the first layer that both change, whatever their form and strength."""
    cpu = torch.device("cpu")
    for name in sorted(one.keys() & other.keys()):
        first, second = (layers[name].product(cpu).flatten() for layers in (one, other))
        if first.shape == second.shape and first.any() and second.any():
            return bool(torch.cosine_similarity(first, second, dim=0) > _SAME)
    return False


Terms = tuple[tuple[LoraLayer, float], ...]


class Mergeable:
    """`network` with the LoRAs that were merged last; none to begin with.

    It must hold its weights whenever something is merged, which is computed on `merge_device`, or where the weights
    are. Its other users see what is merged: each merges what it wants before its work.
    """

    def __init__(self, network: Any, merge_device: torch.device | None = None) -> None:
        self.network = network
        self._merge_device = _exact(merge_device or network.device)
        self._merged: dict[str, Terms | None] = {}
        self._pristine: dict[str, torch.Tensor] = {}

    @torch.no_grad()
    def merge(
        self, loras: Sequence[tuple[LoraLayers, float]], pristine: Mapping[str, torch.Tensor] | None = None
    ) -> int:
        """Makes every weight W0 + the sum of scale * factor * up @ down over `loras`; bit for bit W0 without any.

        Only layers whose sum changes are computed; tells how many. Sums are taken in the order of `loras`, in float64,
        and rounded once: who gives them in one order gets the same bits. `pristine` are the network's weights by name,
        in the host's memory or mapped, in any type; None keeps a copy of each weight for as long as something is
        merged into it.
        """
        wanted: dict[str, Terms] = {}
        for layers, scale in loras:
            for name, layer in layers.items() if scale else ():
                wanted[name] = (*wanted.get(name, ()), (layer, scale))
        changed = [name for name in {**self._merged, **wanted} if self._merged.get(name, ()) != wanted.get(name, ())]
        for name in changed:
            self._set(name, wanted.get(name, ()), pristine)
        return len(changed)

    def _set(self, name: str, terms: Terms, pristine: Mapping[str, torch.Tensor] | None) -> None:
        weight = self.network.get_submodule(name).weight
        if name not in self._pristine:
            kept = pristine[f"{name}.weight"] if pristine is not None else weight.to("cpu", copy=True)
            self._pristine[name] = kept
        self._merged[name] = None  # what a failure half-way leaves must be merged again
        weight.copy_(self._sum(self._pristine[name], terms, weight.dtype) if terms else self._pristine[name])
        if terms:
            self._merged[name] = terms
        else:
            del self._merged[name], self._pristine[name]

    def _sum(self, pristine: torch.Tensor, terms: Terms, dtype: torch.dtype) -> torch.Tensor:
        """Computed in float64 and rounded once to `dtype`."""
        # The layer's own weight without a LoRA is the file's in the layer's type: a merge adds to that one.
        merged = pristine.to(self._merge_device).to(dtype).to(torch.float64)
        for layer, scale in terms:
            merged = torch.add(merged, layer.delta(merged.shape, self._merge_device), alpha=scale * layer.factor)
        return merged.to(dtype)


def _exact(device: torch.device) -> torch.device:
    """Not every kind of device computes in float64."""
    return device if device.type == "cuda" else torch.device("cpu")


def require_fit(network: nn.Module | None, layers: LoraLayers, title: str) -> None:
    """Raises DemoError where a LoRA is for another network than this one, which `title` names."""
    modules = dict(network.named_modules()) if network is not None else {}
    for name, layer in layers.items():
        target = modules.get(name)
        if not isinstance(target, nn.Linear | nn.Conv2d):
            raise DemoError(f"This LoRA does not fit the base's {title}: it is for {name[:80]}.")
        up, down = layer.up.shape, layer.down.shape
        if (up[:1] + down[1:]) != target.weight.shape or math.prod(up[1:]) != down[0]:
            raise DemoError(f"This LoRA does not fit the base's {title}: {name[:80]} has another shape.")
        if down[0] > _LARGEST_RANK:
            raise DemoError(f"This LoRA can't be used: its rank is {down[0]}, and the most is {_LARGEST_RANK}.")
