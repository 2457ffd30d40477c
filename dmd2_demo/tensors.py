"""Tensors from files, and modules filled with them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from dmd2_demo.errors import DemoError


def read_tensors(
    path: Path, device: torch.device, dtype: torch.dtype | None = None, prefix: str = ""
) -> dict[str, torch.Tensor]:
    """The tensors of a `.safetensors` file whose names begin with `prefix`, on `device`.

    Floating-point ones become `dtype` one by one, or stay as stored where it is None.
    """
    try:
        with safe_open(path, "pt", device=str(device)) as file:
            names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118 - no mapping
            return {name: _as(file.get_tensor(name), dtype) for name in names}
    except (SafetensorError, OSError) as error:
        raise DemoError(f"{path.name} can't be read: {error}.") from error


def _as(tensor: torch.Tensor, dtype: torch.dtype | None) -> torch.Tensor:
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def as_safetensors(path: Path, cache: Path) -> Path:
    """The file itself, or, for a pickle, a safetensors file with the same tensors, made once.

    It is made beside the pickle, or in `cache` where that folder can't be written. Only tensors are unpickled.
    """
    if path.suffix == ".safetensors":
        return path
    beside = path.with_name(f"{path.name}.safetensors")
    stored = cache / f"{path.parent.name}-{path.name}-{path.stat().st_size}.safetensors"
    for converted in (beside, stored):
        if converted.is_file() and converted.stat().st_mtime >= path.stat().st_mtime:
            return converted
    tensors = _unpickle(path)
    for converted in (beside, stored):
        with suppress(OSError):
            converted.parent.mkdir(parents=True, exist_ok=True)
            return _written(tensors, converted)
    raise DemoError(f"{path.name} must be converted once, and neither its folder nor {cache.name} can be written.")


def _unpickle(path: Path) -> dict[str, torch.Tensor]:
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:
        raise DemoError(f"{path.name} is damaged or holds more than weights; it was not loaded.") from error
    tensors = {name: tensor.contiguous() for name, tensor in loaded.items() if isinstance(tensor, torch.Tensor)}
    if not tensors:
        raise DemoError(f"{path.name} holds no weights.")
    return tensors


def _written(tensors: dict[str, torch.Tensor], path: Path) -> Path:
    """Complete or absent: written under another name first."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.incomplete")
    try:
        save_file(tensors, unfinished, metadata={"format": "pt"})
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def fill(module: nn.Module, tensors: dict[str, torch.Tensor], name: str) -> None:
    """Makes `tensors` the weights of a module that was built without any. DemoError where they don't fit."""
    try:
        module.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        raise DemoError(f"{name} does not fit this model: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[min(1, len(lines) - 1)][:200]


def still(module: Any, device: torch.device) -> Any:
    """The module ready to be used and not trained."""
    return module.to(device).eval().requires_grad_(False)


def size_of(tensors: Iterable[torch.Tensor]) -> int:
    """Bytes, shared storage counted once."""
    return sum({tensor.untyped_storage().data_ptr(): tensor.nbytes for tensor in tensors}.values())
