"""A UNet's weights at random in a file of its true size, written in one pass and with little memory."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from dmd2_demo.modules import unet_without_weights


def write_unet(config: Path, path: Path) -> int:
    """Writes half-precision weights of `config`'s shapes as `.safetensors`. Returns the file's bytes."""
    header, end = {}, 0
    for name, tensor in unet_without_weights(config).state_dict().items():
        start, end = end, end + 2 * tensor.numel()
        header[name] = {"dtype": "F16", "shape": list(tensor.shape), "data_offsets": [start, end]}
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    block = (torch.randn(2**23) * 0.02).half().numpy().tobytes()
    with path.open("wb") as file:
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        while end:
            end -= file.write(block[: min(end, len(block))])
    return path.stat().st_size
