"""Two modules that are the same."""

from __future__ import annotations

import torch
from torch import nn

from dmd2_demo.weights.lora import Mergeable


def assert_same(ours: nn.Module | Mergeable, theirs: nn.Module | Mergeable) -> None:
    """The same weights and buffers to the bit, and ready to be used."""
    ours, theirs = (one.network if isinstance(one, Mergeable) else one for one in (ours, theirs))
    one, two = ours.state_dict(), theirs.state_dict()
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) and one[name].dtype == two[name].dtype for name in one)
    buffers = dict(theirs.named_buffers())
    assert all(torch.equal(buffer, buffers[name]) for name, buffer in ours.named_buffers())
    assert not ours.training
    assert not any(parameter.requires_grad for parameter in ours.parameters())
