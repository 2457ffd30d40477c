"""Room on disks, and the places on them that are ours to use."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from huggingface_hub import constants

from dmd2_demo.errors import DemoError
from dmd2_demo.progress import in_bytes

Free = Callable[[Path], int]
"""Bytes free on the disk of a folder."""

_SPARE = 500_000_000  # bytes that are left free after something large


def free_disk(folder: Path) -> int:
    """Bytes free where `folder` is or would be made."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def check_room(what: str, needed: int, folder: Path, free: Free) -> None:
    """Raises DemoError where the disk of `folder` has not `needed` bytes to spare. `what` is to be done with them."""
    room = max(0, free(folder) - min(_SPARE, needed))
    if needed > room:
        raise DemoError(
            f"To {what} takes {in_bytes(needed)} of disk, and {in_bytes(room)} can be used: "
            "free some, or set HF_HOME to a larger disk."
        )


def default_cache() -> Path:
    """The cache that all users of huggingface_hub on this machine share."""
    return Path(constants.HF_HUB_CACHE)


def own_cache() -> Path:
    """The folder beside that cache for what this demo makes of its files."""
    return default_cache().parent / "dmd2-demo"
