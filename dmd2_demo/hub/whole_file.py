"""Whether a file of weights arrived whole, as far as it tells its own length, and its removal where it did not."""

from __future__ import annotations

from pathlib import Path
from zipfile import is_zipfile

from dmd2_demo.errors import DemoError
from dmd2_demo.hub.safetensors_header import BrokenFile, read_header
from dmd2_demo.models.sources import File


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


def trouble_of(path: Path, file: File) -> str:
    """Why `file`, which lies at `path`, is not whole, as a clause; "" where it is. DemoError where it can't be read."""
    try:
        require_whole(path)
    except BrokenFile as error:
        return str(error)
    except OSError as error:
        raise DemoError(f"{file.name} of {file.source} can't be read: {error.strerror or error}.") from error
    return ""


def remove(path: Path, file: File) -> None:
    """Removes `file` and what `path`, where the cache has it, links to. DemoError where this disk keeps it."""
    try:
        for one in (path.resolve(), path):
            one.unlink(missing_ok=True)
    except OSError as error:
        raise DemoError(f"{file.name} of {file.source} can't be removed: {error.strerror or error}.") from error
