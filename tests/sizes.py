"""What a loaded part really takes."""

from __future__ import annotations

import torch
from torch import nn

from dmd2_demo.weights.loader import Loaded
from dmd2_demo.weights.lora import MergeableUNet


def sizeof(loaded: Loaded) -> int:
    """Bytes of memory on the part's device; what is shared is counted once."""
    tensors = [tensor for network in loaded.networks for tensor in _of(network)]
    if isinstance(loaded.module, MergeableUNet):
        held = [tensor for target in loaded.module._targets for tensor in (target.pristine, target.up, target.down)]
        tensors += [tensor for tensor in held if tensor.device == loaded.module.unet.device]
    return sum({tensor.data_ptr(): tensor.nbytes for tensor in tensors}.values())


def _of(network: nn.Module) -> list[torch.Tensor]:
    return [*network.parameters(), *network.buffers()]
