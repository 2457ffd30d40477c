"""One file's way from the hub into its cache, which goes on where it was cut: even by a killed process.

huggingface_hub 2 throws a partial file away when a download fails. So the bytes are fetched by its own resumable
`http_get` into a partial file beside the cache's blobs, checked against the hash the hub names, and moved to where
`hf_hub_download` finds them.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Self

import httpx2
from huggingface_hub import HfFileMetadata, constants, get_hf_file_metadata, hf_hub_download, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.file_download import http_get, repo_folder_name
from huggingface_hub.utils._fixes import WeakFileLock
from huggingface_hub.utils._headers import build_hf_headers

from dmd2_demo.errors import DemoError
from dmd2_demo.hub_errors import HUB_ERRORS, sentence
from dmd2_demo.progress import Progress, Report, in_bytes
from dmd2_demo.sources import HubRepo

_SPARE = 500_000_000  # bytes of disk that a download leaves free
_CUTS = 5  # in a row without a new byte, before a download gives up


class _Bar:
    """What huggingface_hub takes for a progress bar: it tells `report`."""

    def __init__(self, report: Report, title: str, total: int | None, initial: int, **_: object) -> None:
        self._report, self._title, self._total, self._done = report, title, total, initial

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def update(self, count: float = 1) -> None:
        self._done += int(count)
        of = f" of {in_bytes(self._total)}" if self._total else ""
        fraction = min(1.0, self._done / self._total) if self._total else None
        self._report(Progress(f"Downloading {self._title}: {in_bytes(self._done)}{of}", fraction))


class _Corrupt(Exception):
    """What arrived is not what the hub says it has."""


def metadata(repo: HubRepo, name: str, endpoint: str | None) -> HfFileMetadata:
    """What the hub says of a file: size, hash, commit. Raises one of HUB_ERRORS, after some patience with the hub."""
    url = hf_hub_url(repo.id, name, revision=repo.revision, endpoint=endpoint)
    try:
        return get_hf_file_metadata(url, endpoint=endpoint)
    except HfHubHTTPError as error:
        if error.response.status_code not in {408, 429, 500, 502, 503, 504}:
            raise
        return get_hf_file_metadata(url, endpoint=endpoint, retry_on_errors=True)


def download(
    repo: HubRepo, name: str, *, cache: Path, endpoint: str | None, free: Callable[[Path], int], report: Report
) -> Path:
    """The file's path in the hub's cache, complete and as the hub has it. DemoError where it can't be had."""
    try:
        known = metadata(repo, name, endpoint)
        if known.etag and re.fullmatch(r"[\w.-]+", known.etag):
            folder = cache / repo_folder_name(repo_id=repo.id, repo_type="model")
            lock = cache / ".locks" / folder.name / f"{known.etag}.partial.lock"
            blob = folder / "blobs" / known.etag
            lock.parent.mkdir(parents=True, exist_ok=True)
            blob.parent.mkdir(parents=True, exist_ok=True)
            with WeakFileLock(lock):
                if not blob.exists():
                    _arrive(repo, name, known, blob, endpoint, free, report)
        return Path(hf_hub_download(repo.id, name, revision=repo.revision, cache_dir=cache, endpoint=endpoint))
    except HUB_ERRORS as error:
        raise sentence(error, repo, name) from error


def _arrive(
    repo: HubRepo,
    name: str,
    known: HfFileMetadata,
    blob: Path,
    endpoint: str | None,
    free: Callable[[Path], int],
    report: Report,
) -> None:
    incomplete = blob.with_name(f"{blob.name}.incomplete")
    url = hf_hub_url(repo.id, name, revision=known.commit_hash or repo.revision, endpoint=endpoint)
    for last in (False, True):
        check_room(name, (known.size or 0) - _length(incomplete), blob.parent, free)
        try:
            _fill(incomplete, url, known.size, partial(_Bar, report, name))
            _check(incomplete, known)
        except _Corrupt as error:
            incomplete.unlink(missing_ok=True)
            if last:
                raise DemoError(
                    f"{name} of {repo} arrived damaged twice ({error}). It was removed; please try again later."
                ) from error
        else:
            incomplete.replace(blob)
            return


def _fill(incomplete: Path, url: str, size: int | None, bar: Callable[..., _Bar]) -> None:
    """Adds what is missing, through `_CUTS` cuts in a row. Raises _Corrupt where the length comes out wrong."""
    cuts = 0
    while True:
        before = _length(incomplete)
        if size is not None and before > size:
            raise _Corrupt("it is longer than it should be")
        try:
            with incomplete.open("ab") as file:
                headers = build_hf_headers() | {"accept-encoding": "identity"}
                http_get(url, file, resume_size=before, headers=headers, expected_size=size, tqdm_class=bar)
        except httpx2.TransportError:
            cuts = cuts + 1 if _length(incomplete) == before else 0
            if cuts >= _CUTS:
                raise
        except HfHubHTTPError as error:
            if error.response.status_code != httpx2.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
            raise _Corrupt("it is longer than it should be") from error
        except OSError as error:
            if "Consistency check failed" not in str(error):
                raise
            raise _Corrupt("its length is wrong") from error
        else:
            return


def _check(path: Path, known: HfFileMetadata) -> None:
    """Large files are named by their SHA-256, small ones by git's SHA-1 of a blob. Raises _Corrupt."""
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
        raise _Corrupt("its contents are wrong")


def check_room(what: str, needed: int, folder: Path, free: Callable[[Path], int]) -> None:
    """Raises DemoError where the disk of `folder` has not `needed` bytes to spare."""
    room = free(folder) - _SPARE
    if needed > room:
        raise DemoError(
            f"{what} needs {in_bytes(needed)} of disk, and only {in_bytes(max(0, room))} can be used. "
            "Free some room or set HF_HOME to a larger disk."
        )


def free_disk(folder: Path) -> int:
    """Bytes free where `folder` is or would be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def default_cache() -> Path:
    """The cache that all of huggingface_hub's users on this machine share."""
    return Path(constants.HF_HUB_CACHE)


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
