"""What files on this disk hold: text in UTF-8 whatever the locale, and themselves rather than a pointer to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dmd2_demo.errors import DemoError

_POINTER = b"version https://git-lfs.github.com/spec/"


def read_text(path: Path) -> str:
    """The text of a file, without the byte-order mark that some editors write. UnicodeDecodeError where it is none."""
    return path.read_text(encoding="utf-8-sig")


def read_json(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds. DemoError where it is damaged or holds none."""
    require_itself(path)
    try:
        read = json.loads(read_text(path))
    except (ValueError, RecursionError, OSError) as error:
        raise DemoError(f"{path.parent.name}/{path.name} is damaged: it is no JSON that can be read.") from error
    if not isinstance(read, dict):
        raise DemoError(f"{path.parent.name}/{path.name} is damaged: it holds no settings.")
    return read


def require_itself(path: Path) -> None:
    """Raises DemoError where the file is what a clone without Git LFS has in its place."""
    try:
        with path.open("rb") as file:
            is_pointer = file.read(len(_POINTER)) == _POINTER
    except OSError:
        return  # who reads it says so
    if is_pointer:
        raise DemoError(
            f"{path.name} is a Git LFS pointer and not the file itself, as in a clone without Git LFS: run "
            "`git lfs install` and `git lfs pull` in the clone."
        )
