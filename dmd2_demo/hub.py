"""A file's way onto this disk: from the hub through its cache, or from a folder as it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from huggingface_hub import try_to_load_from_cache

from dmd2_demo.download import default_cache, download, free_disk, metadata
from dmd2_demo.errors import DemoError
from dmd2_demo.files import Choice
from dmd2_demo.header import BrokenFile, read_header
from dmd2_demo.hub_errors import HUB_ERRORS, NotThere
from dmd2_demo.progress import Report, silent
from dmd2_demo.sources import File, Folder, HubRepo


class Hub:
    """Gives local paths for files. What is in the cache is used without asking the hub, so it works offline.

    `cache` and `endpoint` default to huggingface_hub's own (HF_HOME, HF_ENDPOINT). Safe to call from many threads:
    a file that several want at once is downloaded once.
    """

    def __init__(
        self, cache: Path | None = None, endpoint: str | None = None, free: Callable[[Path], int] = free_disk
    ) -> None:
        self._cache = cache or default_cache()
        self._endpoint = endpoint
        self._free = free
        self._locks: dict[File, threading.Lock] = {}
        self._lock = threading.Lock()

    def fetch(self, file: File, report: Report = silent) -> Path:
        """The file's path on this disk, downloaded first where it must be. DemoError says why it can't be had."""
        if isinstance(file.source, Folder):
            return self._in_folder(file.source, file.name)
        with self._lock:
            lock = self._locks.setdefault(file, threading.Lock())
        with lock:
            return self._in_cache(file.source, file.name, report)

    def first(self, choice: Sequence[File], report: Report = silent) -> Path:
        """The path of the first of these files that exists, one on this disk before one that is not."""
        for file in choice:
            if self._local(file):
                return self.fetch(file, report)
        for file in choice[:-1]:
            try:
                return self.fetch(file, report)
            except NotThere:
                continue
        return self.fetch(choice[-1], report)

    def missing(self, choices: Iterable[Choice]) -> tuple[tuple[File, int | None], ...]:
        """What a first use would download, each with its size in bytes where the hub tells it."""
        found: dict[File, int | None] = {}
        for choice in choices:
            if not any(self._local(file) for file in choice):
                file, size = self._wanted(choice)
                found[file] = size
        return tuple(found.items())

    def _wanted(self, choice: Choice) -> tuple[File, int | None]:
        for file in choice:
            if isinstance(file.source, HubRepo):
                try:
                    return file, metadata(file.source, file.name, self._endpoint).size
                except HUB_ERRORS:
                    continue
        return choice[0], None

    def _local(self, file: File) -> bool:
        if isinstance(file.source, Folder):
            return (file.source.path / file.name).is_file()
        return self._cached(file.source, file.name) is not None

    def _cached(self, repo: HubRepo, name: str) -> Path | None:
        found = try_to_load_from_cache(repo.id, name, cache_dir=self._cache, revision=repo.revision)
        return Path(found) if isinstance(found, str) else None

    def _in_folder(self, folder: Folder, name: str) -> Path:
        path = folder.path / name
        if not path.is_file():
            raise NotThere(f"{folder} has no file {name}.")
        try:
            _check(path)
        except BrokenFile as error:
            raise DemoError(f"{name} of {folder} is damaged: {error}.") from error
        return path

    def _in_cache(self, repo: HubRepo, name: str, report: Report) -> Path:
        path = self._cached(repo, name)
        for _ in range(2):
            path = path or download(
                repo, name, cache=self._cache, endpoint=self._endpoint, free=self._free, report=report
            )
            try:
                _check(path)
            except BrokenFile as error:
                damage = error
                path.resolve().unlink(missing_ok=True)
                path.unlink(missing_ok=True)
                path = None
            else:
                return path
        raise DemoError(f"{name} of {repo} is damaged ({damage}), and so it is when downloaded anew.")


def _check(path: Path) -> None:
    if path.suffix == ".safetensors":
        read_header(path)
