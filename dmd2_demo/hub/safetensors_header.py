"""What a `.safetensors` file holds, read from its header alone."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_LONGEST_HEADER = 10_000_000  # bytes: SDXL's largest has half a million, the format allows 100
_MOST_DIMENSIONS, _LONGEST_SIDE = 8, 2**40
_BYTES = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 8),
    **dict.fromkeys(("F32", "I32", "U32"), 4),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 2),
    **dict.fromkeys(("BOOL", "I8", "U8", "F8_E4M3", "F8_E5M2"), 1),
}


class BrokenFile(Exception):
    """The file is not a whole `.safetensors` file. The message is a clause: "its end is missing"."""


@dataclass(frozen=True)
class Tensor:
    """One entry of the header. `dtype` is the format's name, such as F16."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """In elements."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Header:
    """The tensors of a file by name, and what its maker wrote of it. Raises BrokenFile where they can't be such.

    `data` are the bytes that the tensors take behind the header.
    """

    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str]
    data: int = 0

    def __post_init__(self) -> None:
        told = all(isinstance(one.dtype, str) and _is_shape(one.shape) for one in self.tensors.values())
        if not told or not all(isinstance(text, str) for text in self.metadata.values()):
            raise BrokenFile("its header tells of no tensors")


def _is_shape(shape: tuple[object, ...]) -> bool:
    """Whatever strangers wrote there was read as JSON and is anything."""
    return len(shape) <= _MOST_DIMENSIONS and all(type(side) is int and 0 <= side <= _LONGEST_SIDE for side in shape)


def read_header(path: Path) -> Header:
    """All that the header says. Raises BrokenFile where it and the file's length disagree."""
    length = path.stat().st_size
    with path.open("rb") as file:
        size = header_size(file.read(8))
        if 8 + size > length:
            raise BrokenFile("its end is missing")
        header = parse_header(file.read(size))
    end = 8 + size + header.data
    if end != length:
        raise BrokenFile("its end is missing" if end > length else "it has more bytes than it should")
    return header


def header_size(start: bytes) -> int:
    """The bytes of the header after the file's first eight, which tell it. Raises BrokenFile where they don't."""
    size = int.from_bytes(start[:8], "little")
    if len(start) < 8 or size > _LONGEST_HEADER:
        raise BrokenFile("it is not a safetensors file")
    return size


def parse_header(content: bytes) -> Header:
    """What those bytes say. Raises BrokenFile, also where a tensor's place is not as long as its shape says."""
    try:
        entries = json.loads(content)
        metadata = dict(entries.pop("__metadata__", None) or {})
        tensors = {name: Tensor(entry["dtype"], tuple(entry["shape"])) for name, entry in entries.items()}
        places = {name: _place(entry["data_offsets"]) for name, entry in entries.items()}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise BrokenFile("it is not a safetensors file") from error
    header = Header(tensors, metadata, max((place.stop for place in places.values()), default=0))
    # Of other types the file's own reader knows.
    known = {name: tensor.size * _BYTES[tensor.dtype] for name, tensor in tensors.items() if tensor.dtype in _BYTES}
    if any(len(places[name]) != size for name, size in known.items()):
        raise BrokenFile("its header tells of tensors that can't be")
    return header


def _place(offsets: object) -> range:
    match offsets:
        case [int(start), int(end)] if 0 <= start <= end <= _LONGEST_SIDE:
            return range(start, end)
    raise ValueError(offsets)


def bytes_in(tensors: Mapping[str, Tensor], bytes_each: int | None, prefix: str = "") -> int:
    """What the tensors whose names begin with `prefix` take once each floating-point number takes `bytes_each`.

    None for what they take as they are stored.
    """
    return sum(
        tensor.size * (bytes_each if bytes_each and "F" in tensor.dtype else _BYTES.get(tensor.dtype, 1))
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    )
