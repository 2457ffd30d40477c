"""PartLoader at random, of any size and with little memory: never zeros, which some devices are faster with."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch

Shapes = Mapping[str, tuple[int, ...]]

_NOISE = torch.randn(2**20, generator=torch.Generator().manual_seed(0))


def write(shapes: Shapes, path: Path) -> int:
    """Writes a `.safetensors` file of half-precision tensors in one pass. Returns its bytes."""
    header, end = {}, 0
    for name, shape in shapes.items():
        start, end = end, end + 2 * math.prod(shape)
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [start, end]}
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    with path.open("wb") as file:
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        for shape in shapes.values():
            for block in _blocks(shape):
                file.write(block.numpy().data)
    return path.stat().st_size


def tensor(shape: tuple[int, ...]) -> torch.Tensor:
    """One of those tensors."""
    return torch.cat(list(_blocks(shape))).reshape(shape) if shape else next(_blocks(shape)).reshape(())


def _blocks(shape: tuple[int, ...]) -> Iterator[torch.Tensor]:
    """Numbers that keep a network's activations near 1, so that they neither vanish nor overflow.

    What has no inputs to sum over is the gain of a norm, or a bias, which may be as large.
    """
    block = (_NOISE / math.sqrt(math.prod(shape[1:])) if len(shape) > 1 else 1 + _NOISE / 10).half()
    left = math.prod(shape)
    while left:
        part = block[:left]
        yield part
        left -= len(part)
