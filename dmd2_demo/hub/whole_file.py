"""Whether a file of weights arrived whole, as far as it tells its own length."""

from __future__ import annotations

from pathlib import Path
from zipfile import is_zipfile

from dmd2_demo.hub.safetensors_header import BrokenFile, read_header


def require_whole(path: Path) -> None:
    """Raises BrokenFile where what says the file's length disagrees with it."""
    if path.suffix == ".safetensors":
        read_header(path)
    elif path.suffix == ".bin" and _begins_as_zip(path) and not is_zipfile(path):
        raise BrokenFile("its end is missing")


def _begins_as_zip(path: Path) -> bool:
    """As pickles of weights do, but for very old ones."""
    with path.open("rb") as file:
        return file.read(2) == b"PK"
