"""Tensors from files, and modules filled with them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from dmd2_demo.errors import DemoError

_BATCH = 50  # tensors for which a file stays open


def read_all_tensors(
    paths: Iterable[Path], device: torch.device, dtype: torch.dtype | None = None
) -> dict[str, torch.Tensor]:
    """The tensors of several files together, as `read_tensors` gives each one's."""
    return {name: tensor for path in paths for name, tensor in read_tensors(path, device, dtype).items()}


def read_tensors(
    path: Path, device: torch.device, dtype: torch.dtype | None = None, prefix: str = ""
) -> dict[str, torch.Tensor]:
    """The tensors of a `.safetensors` file whose names begin with `prefix`, on `device`.

    Floating-point ones become `dtype`, or stay as stored where it is None. Takes little more host memory than what
    it returns: reading goes through a map of the file, and closing it gives back what was read and converted.
    """
    tensors: dict[str, torch.Tensor] = {}
    try:
        with safe_open(path, "pt") as file:
            names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118 - no mapping
        for start in range(0, len(names), _BATCH):
            with safe_open(path, "pt", device=str(device)) as file:
                for name in names[start : start + _BATCH]:
                    tensors[name] = _as(file.get_tensor(name), dtype)
    except (SafetensorError, OSError, NotImplementedError) as error:
        raise DemoError(f"{path.name} can't be read: {error}.") from error
    return tensors


def _as(tensor: torch.Tensor, dtype: torch.dtype | None) -> torch.Tensor:
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def fill(module: nn.Module, tensors: dict[str, torch.Tensor], name: str) -> None:
    """Makes `tensors` the weights of a module that was built without any. DemoError where they don't fit."""
    try:
        module.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        raise DemoError(f"{name} does not fit this model: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    """Torch's own list of what doesn't fit begins on the second line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[min(1, len(lines) - 1)][:200]


def frozen(module: Any, device: torch.device) -> Any:
    """The module on `device`, ready to be used and not trained."""
    return module.to(device).eval().requires_grad_(False)
