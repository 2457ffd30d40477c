"""How merged weights are looked at."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

Tensors = dict[str, torch.Tensor]


def weights(unet: nn.Module) -> Tensors:
    return {name: tensor.clone() for name, tensor in unet.state_dict().items()}


def same(one: Mapping[str, torch.Tensor], two: Mapping[str, torch.Tensor]) -> bool:
    """Bit for bit, so that 0 and -0 differ."""
    return one.keys() == two.keys() and all(
        torch.equal(tensor.view(torch.uint8), two[name].view(torch.uint8)) for name, tensor in one.items()
    )


def ulp(values: torch.Tensor) -> torch.Tensor:
    """The distance to the next larger number of the same type, in float64."""
    up = torch.nextafter(values.abs(), torch.full_like(values, torch.inf)) if values.dtype == torch.float32 else None
    if up is not None:
        return up.double() - values.abs().double()
    info = torch.finfo(values.dtype)
    exponent = torch.frexp(values.double()).exponent - 1
    smallest = info.smallest_normal * info.eps
    return torch.clamp(torch.exp2(exponent.double()) * info.eps, min=smallest)
