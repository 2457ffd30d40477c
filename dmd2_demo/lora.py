"""A UNet that carries a LoRA at any scale, each exact: merged from weights that never change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from dmd2_demo.errors import DemoError

_PREFIX = "lora_unet_"


@dataclass(frozen=True)
class Delta:
    """What a LoRA adds to one weight at scale 1: `factor` * `up` @ `down`."""

    up: torch.Tensor
    down: torch.Tensor
    factor: float

    def merged(self, pristine: torch.Tensor, scale: float) -> torch.Tensor:
        """The weight at that scale, computed in float64 and rounded once to the weight's own type."""
        up, down = (matrix.to(pristine.device, torch.float64) for matrix in (self.up, self.down))
        delta = _product(up, down).reshape(pristine.shape)
        return pristine.to(torch.float64).add_(delta, alpha=scale * self.factor).to(pristine.dtype)


def _product(up: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
    """(out, rank, 1, 1) and (rank, in, h, w) give (out, in, h, w); linear layers are the case without h and w."""
    if up.shape[2:].numel() != 1:
        raise DemoError("This LoRA has a kind of layer that is not supported: its second convolution is not 1 x 1.")
    return up.flatten(1) @ down.flatten(1)


class MergeableUNet:
    """`unet` with a LoRA's layers at the scale set last; scale 0, the bare UNet, to begin with.

    Only targeted weights are kept twice: as they were read, and as the UNet uses them.
    """

    def __init__(self, unet: Any, lora: Mapping[str, torch.Tensor]) -> None:
        self.unet = unet
        self._scale = 0.0
        self._layers = tuple(_layers(unet, lora))
        for layer, _, pristine in self._layers:
            layer.weight = nn.Parameter(pristine.clone(), requires_grad=False)

    @property
    def scale(self) -> float:
        """The scale the UNet's weights are merged at."""
        return self._scale

    @torch.no_grad()
    def set_scale(self, scale: float) -> None:
        """Makes every targeted weight W0 + scale * alpha / rank * up @ down; bit for bit W0 at scale 0."""
        if scale == self._scale:
            return
        for layer, delta, pristine in self._layers:
            layer.weight.copy_(delta.merged(pristine, scale) if scale else pristine)
        self._scale = scale

    def tensors(self) -> Iterator[torch.Tensor]:
        """All that this takes memory for."""
        yield from self.unet.parameters()
        yield from self.unet.buffers()
        for _, delta, pristine in self._layers:
            yield from (delta.up, delta.down, pristine)


def _layers(
    unet: nn.Module, lora: Mapping[str, torch.Tensor]
) -> Iterator[tuple[nn.Linear | nn.Conv2d, Delta, torch.Tensor]]:
    """Each layer that the LoRA targets, what is added to it, and its weight as it was read."""
    modules = {
        _PREFIX + name.replace(".", "_"): module
        for name, module in unet.named_modules()
        if isinstance(module, nn.Linear | nn.Conv2d)
    }
    targets = sorted({key.partition(".")[0] for key in lora})
    if not targets or not all(target in modules for target in targets):
        unknown = next((target for target in targets if target not in modules), "nothing")
        raise DemoError(f"This LoRA does not fit the base's UNet: it is for {unknown[:80]}.")
    for target in targets:
        layer = modules[target]
        try:
            up, down = lora[f"{target}.lora_up.weight"], lora[f"{target}.lora_down.weight"]
        except KeyError as error:
            raise DemoError(f"This LoRA is incomplete: {error.args[0]!s:.120} is missing.") from error
        rank = down.shape[0]
        alpha = lora.get(f"{target}.alpha")
        factor = float(alpha) / rank if alpha is not None else 1.0
        if up.shape[0] * down.shape[1:].numel() != layer.weight.numel():
            raise DemoError(f"This LoRA does not fit the base's UNet: {target[:80]} has another shape.")
        yield layer, Delta(up, down, factor), layer.weight.detach()
