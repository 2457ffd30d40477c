"""The bytes of one URL on their way into one file: continued after cuts, checked at the end."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol, Self

import httpx2
from huggingface_hub import HfFileMetadata
from huggingface_hub.errors import HfHubHTTPError

from dmd2_demo.progress import Progress, Report, in_bytes


class Get(Protocol):
    """Adds to a file what comes after its first `resume_size` bytes."""

    def __call__(self, *, temp_file: IO[bytes], resume_size: int) -> None: ...


_CUTS = 5  # in a row without a new byte, before a download gives up


class Corrupt(Exception):
    """What arrived is not what the hub says it has."""


class Bar:
    """What huggingface_hub takes for a progress bar: it tells `report`."""

    def __init__(self, report: Report, title: str, total: int | None, initial: int, **_: object) -> None:
        self._report, self._title, self._total, self._done = report, title, total, initial

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def update(self, count: float = 1) -> None:
        """So many bytes more have come."""
        self._done += int(count)
        of = f" of {in_bytes(self._total)}" if self._total else ""
        fraction = min(1.0, self._done / self._total) if self._total else None
        self._report(Progress(f"Downloading {self._title}: {in_bytes(self._done)}{of}", fraction))


def complete(incomplete: Path, get: Get, known: HfFileMetadata, checking: Callable[[], None]) -> None:
    """Brings the file to what the hub knows of it: `get` adds bytes at its end, `checking` is called before the check.

    Raises Corrupt, and leaves nothing, where it came out damaged twice; what is cut otherwise stays for the next try.
    """
    for last in (False, True):
        try:
            _fill(incomplete, get, known.size)
            checking()
            _check(incomplete, known)
        except Corrupt:
            incomplete.unlink(missing_ok=True)
            if last:
                raise
        else:
            return


def _fill(incomplete: Path, get: Get, size: int | None) -> None:
    """Adds what is missing, however often the connection is cut. Raises Corrupt where the length comes out wrong."""
    cuts = 0
    while True:
        before = length(incomplete)
        if size is not None and before > size:
            raise Corrupt("it is longer than it should be")
        try:
            with incomplete.open("ab") as file:
                get(temp_file=file, resume_size=before)
        except httpx2.ReadError:  # http_get itself goes on after the other kinds of cuts
            cuts = cuts + 1 if length(incomplete) == before else 0
            if cuts == _CUTS:
                raise
        except HfHubHTTPError as error:
            if error.response.status_code == httpx2.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise Corrupt("it is longer than it should be") from error
            raise
        except OSError as error:
            if "Consistency check failed" in str(error):
                raise Corrupt("its length is wrong") from error
            raise
        else:
            return


def _check(path: Path, known: HfFileMetadata) -> None:
    """Large files are named by their SHA-256, small ones by git's SHA-1 of a blob. Raises Corrupt."""
    etag = known.etag or ""
    if re.fullmatch("[0-9a-f]{64}", etag):
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    elif re.fullmatch("[0-9a-f]{40}", etag):
        content = path.read_bytes()
        found = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    else:
        return
    if found != etag:
        raise Corrupt("its contents are wrong")


def length(path: Path) -> int:
    """In bytes; 0 where there is no file."""
    return path.stat().st_size if path.exists() else 0
