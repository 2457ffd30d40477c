"""Weights that were published as a pickle, made into a safetensors file once."""

from __future__ import annotations

import threading
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile

import torch
from safetensors.torch import save_file

from dmd2_demo.disk import Free, check_room, free_disk
from dmd2_demo.errors import DemoError
from dmd2_demo.progress import Progress, Report, silent


@dataclass(frozen=True)
class Pickles:
    """Converts pickles beside themselves, or into `cache` where their folder can't be written."""

    cache: Path
    free: Free = free_disk
    _lock: threading.Lock = field(default_factory=threading.Lock, compare=False)

    def as_safetensors(self, path: Path, report: Report = silent) -> Path:
        """The file itself, or, for a pickle, a safetensors file with the same tensors, complete or absent.

        Only tensors are unpickled. DemoError where the pickle holds anything else or there is no place for it.
        """
        if path.suffix == ".safetensors":
            return path
        with self._lock:
            places = (path.with_name(f"{path.name}.safetensors"), self.cache / _name(path))
            for place in places:
                if place.is_file() and place.stat().st_mtime >= path.stat().st_mtime:
                    return place
            report(Progress(f"Converting {path.name} once"))
            tensors = _unpickle(path)
            try:
                try:
                    return self._save(tensors, places[0], path.stat().st_size)
                except PermissionError:
                    return self._save(tensors, places[1], path.stat().st_size)
            except OSError as error:
                raise DemoError(f"{path.name} can't be converted: {error.strerror or error}.") from error

    def _save(self, tensors: dict[str, torch.Tensor], path: Path, size: int) -> Path:
        """Written under another name first, so that a cut leaves nothing that looks whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        check_room(f"convert {path.stem}", size, path.parent, self.free)
        with NamedTemporaryFile(dir=path.parent, prefix=path.name, suffix=".incomplete", delete=False) as file:
            unfinished = Path(file.name)
        try:
            save_file(tensors, unfinished, metadata={"format": "pt"})
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        return path


def _name(path: Path) -> str:
    """Tells pickles of one name apart by their folder and size."""
    return f"{path.parent.name}-{path.name}-{path.stat().st_size}.safetensors"


def _unpickle(path: Path) -> dict[str, torch.Tensor]:
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except Exception as error:
        raise DemoError(f"{path.name} is damaged or holds more than weights; it was not loaded.") from error
    if not isinstance(loaded, dict):
        raise DemoError(f"{path.name} holds no weights.")
    # Some trainers nest them.
    loaded = loaded.get("state_dict", loaded)
    tensors = {name: tensor.contiguous() for name, tensor in loaded.items() if isinstance(tensor, torch.Tensor)}
    if not tensors:
        raise DemoError(f"{path.name} holds no weights.")
    return tensors
