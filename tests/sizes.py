"""What a loaded part really takes."""

from __future__ import annotations

import torch
from torch import nn

from dmd2_demo.weights.loader import Loaded
from dmd2_demo.weights.lora import LoadedLora


def sizeof(loaded: Loaded) -> int:
    """Bytes of memory on the part's device; what is shared is counted once."""
    tensors = [tensor for network in loaded.networks for tensor in _of(network)]
    if isinstance(loaded.module, LoadedLora):
        layers = (loaded.module.unet, loaded.module.text_encoder, loaded.module.text_encoder_2)
        tensors += [tensor for part in layers for layer in part.values() for tensor in (layer.up, layer.down)]
    if isinstance(loaded.module, dict):
        tensors += loaded.module.values()
    return sum({tensor.data_ptr(): tensor.nbytes for tensor in tensors}.values())


def _of(network: nn.Module) -> list[torch.Tensor]:
    return [*network.parameters(), *network.buffers()]
