"""Weights that were published as a pickle, made into a safetensors file once."""

from __future__ import annotations

import atexit
import errno
import hashlib
import os
import threading
import zipfile
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import torch
from filelock import FileLock, Timeout
from huggingface_hub.utils import WeakFileLock
from safetensors import SafetensorError
from safetensors.torch import save_file

from dmd2_demo.errors import DemoError
from dmd2_demo.hub.disk import Free, check_room, free_disk
from dmd2_demo.hub.safetensors_header import BrokenFile
from dmd2_demo.hub.whole_file import require_whole
from dmd2_demo.progress import Progress, Report, silent

_INCOMPLETE = ".incomplete"
_MOST_SHARED = 4  # times that a number may stand in a file of weights: tied layers have theirs twice


class Pickles:
    """Keeps what pickles were converted to in `cache`, or for this process alone where that can't be written."""

    def __init__(self, cache: Path, free: Free = free_disk) -> None:
        self._cache = cache
        self._free = free
        self._lock = threading.Lock()
        self._is_own = False

    def as_safetensors(self, path: Path, report: Report = silent) -> Path:
        """The file itself, or, for a pickle, a safetensors file with the same tensors.

        Only tensors are unpickled. DemoError where the pickle holds anything else or there is no room.
        """
        if path.suffix == ".safetensors":
            return path
        with self._lock:
            converted = self._cache / _name(path)
            if not _is_whole(converted):
                report(Progress(f"Converting {path.name} once"))
                self._convert(path)
                converted = self._cache / converted.name
            return converted

    def _convert(self, path: Path) -> None:
        tensors = _unpickle(path)
        try:
            check_room(f"convert {path.name}", _bytes(tensors), self._cache, self._free)
            _save(_apart(tensors), self._cache / _name(path))
        except OSError as error:
            if error.errno not in {errno.EACCES, errno.EPERM, errno.EROFS} or self._is_own:
                raise DemoError(f"{path.name} can't be converted: {error.strerror or error}.") from error
            self._cache, self._is_own = Path(mkdtemp(prefix="dmd2-converted-")), True
            atexit.register(rmtree, self._cache, ignore_errors=True)
            self._convert(path)


def _is_whole(converted: Path) -> bool:
    """Whether it is there, and as long as it should be: a disk that lost its power may have kept a part of it."""
    try:
        require_whole(converted)
    except (BrokenFile, OSError):
        return False
    return True


def _name(path: Path) -> str:
    """Another one for each pickle and each version of it."""
    at = path.resolve()
    stat = at.stat()
    version = hashlib.sha256(f"{at} {stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()
    return f"{path.stem}-{version[:16]}.safetensors"


def _unpickle(path: Path) -> dict[str, torch.Tensor]:
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except Exception as error:
        raise DemoError(f"{path.name} is damaged or holds more than weights; it was not loaded.") from error
    if not isinstance(loaded, dict):
        raise DemoError(f"{path.name} holds no weights.")
    nested = loaded.get("state_dict")  # of some trainers
    named = nested if isinstance(nested, dict) else loaded
    tensors = {name: one for name, one in named.items() if isinstance(name, str) and isinstance(one, torch.Tensor)}
    if not tensors:
        raise DemoError(f"{path.name} holds no weights.")
    if not all(map(_is_plain, tensors.values())) or _bytes(tensors) > _MOST_SHARED * path.stat().st_size:
        raise DemoError(f"{path.name} holds other than plain weights; it was not loaded.")
    return tensors


def _bytes(tensors: dict[str, torch.Tensor]) -> int:
    return sum(one.nbytes for one in tensors.values())


def _is_plain(tensor: torch.Tensor) -> bool:
    """Whether it is numbers in memory, of a kind that a safetensors file has."""
    return (
        tensor.layout == torch.strided
        and tensor.device.type == "cpu"
        and not tensor.is_quantized
        and not tensor.is_complex()
    )


def _apart(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same, none of which is another's memory, as tied weights are."""
    seen: set[int] = set()
    made: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        at = tensor.untyped_storage().data_ptr()
        made[name] = tensor.clone(memory_format=torch.contiguous_format) if at in seen else tensor.contiguous()
        seen.add(at)
    return made


def _lock(cache: Path, name: str) -> Path:
    """Held by who converts to the file of that name."""
    return cache / ".locks" / f"{name}.lock"


def _remove_abandoned(cache: Path) -> None:
    """What killed processes left, of other files too: those may never be converted again."""
    for folder in cache.glob(f"*{_INCOMPLETE}"):
        lock = _lock(cache, folder.name.removesuffix(_INCOMPLETE))
        # As WeakFileLock, which can't be had without waiting; where the disk knows no such locks, it all stays.
        with suppress(OSError, NotImplementedError, Timeout), FileLock(lock, timeout=0, mode=0o664):
            rmtree(folder, ignore_errors=True)


def _onto_disk(path: Path) -> None:
    """Before it gets its name, so that lost power leaves no part of it there. Some disks know nothing of that."""
    with path.open("r+b") as file:
        try:
            os.fsync(file.fileno())
        except OSError as error:
            if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
                raise


def _save(tensors: dict[str, torch.Tensor], path: Path) -> None:
    """Written in a folder of its own first: complete or absent, however it ends. Raises OSError."""
    folder, lock = path.with_name(f"{path.name}{_INCOMPLETE}"), _lock(path.parent, path.name)
    lock.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(path.parent)
    with WeakFileLock(lock):
        rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            save_file(tensors, folder / path.name, metadata={"format": "pt"})
            _onto_disk(folder / path.name)
            (folder / path.name).replace(path)
        except SafetensorError as error:  # it tells of a full disk in its own way
            raise OSError(str(error).partition("I/O error: ")[2] or str(error)) from error
        finally:
            rmtree(folder, ignore_errors=True)
