"""A file's way onto this disk: from the hub through its cache, or from a folder as it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from weakref import WeakValueDictionary

from huggingface_hub import HfApi, HfFileMetadata, try_to_load_from_cache
from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError

from dmd2_demo.errors import DemoError
from dmd2_demo.hub.disk import Free, check_room, default_cache, free_disk
from dmd2_demo.hub.download import LATELY, Downloader
from dmd2_demo.hub.hub_errors import HUB_ERRORS, MISSING, NotTheHub, NotThere, Unreachable, sentence
from dmd2_demo.hub.remembered import Remembered
from dmd2_demo.hub.safetensors_header import Header, header_size, parse_header, read_header
from dmd2_demo.hub.single_flight import SingleFlight
from dmd2_demo.hub.whole_file import remove, trouble_of
from dmd2_demo.models.content import require_itself
from dmd2_demo.models.files import Alternatives
from dmd2_demo.models.sources import File, Folder, HubRepo
from dmd2_demo.progress import Progress, Report, in_bytes, silent

Ask = Callable[[HubRepo, str], HfFileMetadata]
_TIMEOUT = 3.0  # seconds for an answer about a repository
_MOST_HEADERS = 100_000  # bytes, which most headers of LoRAs fit in
_ALLOWED = 600.0  # seconds for which anyone may read what the hub let anyone read


class Hub:
    """Gives local paths for files. What is in the cache is used without asking the hub, so it works offline.

    `cache` and `endpoint` default to huggingface_hub's own (HF_HOME, HF_ENDPOINT). Safe to call from many threads:
    a file that several want at once is downloaded once.
    """

    def __init__(self, cache: Path | None = None, endpoint: str | None = None, free: Free = free_disk) -> None:
        self._cache = cache or default_cache()
        self._free, self._endpoint = free, endpoint
        self._downloads = Downloader(self._cache, endpoint, free)
        self._spellings: Remembered[str, str] = Remembered(LATELY)
        self._listings: Remembered[HubRepo, tuple[str, ...]] = Remembered(LATELY)
        self._allowed: Remembered[tuple[HubRepo, str], Path] = Remembered(_ALLOWED)
        self._damaged: Remembered[tuple[HubRepo, str], str] = Remembered(LATELY)
        self._lock = threading.Lock()
        self._flights: WeakValueDictionary[File, SingleFlight] = WeakValueDictionary()  # visitors think of names

    def fetch(self, file: File, report: Report = silent, what: str = "") -> Path:
        """The file's path on this disk, downloaded first where it must be. DemoError says why it can't be had.

        A damaged file in the cache is removed and downloaded once more; one that came damaged from the hub is not asked
        for again at once. `what` names the file to those who wait, and
        `report` may raise to end the wait: what has arrived stays.
        """
        if isinstance(file.source, Folder):
            return _in_folder(file.source, file.name)
        what = what or file.name
        with self._lock:
            flight = self._flights.setdefault(file, SingleFlight(Progress(f"Waiting for {what}")))
        with flight.joined(report) as tell:
            return self._in_cache(file.source, file.name, tell, what)

    def first(self, choice: Alternatives, report: Report = silent, what: str = "") -> Path:
        """The path of the first of these files that exists, one on this disk before one that is not."""
        for file in choice:
            if self._is_local(file):
                return self.fetch(file, report, what)
        for file in choice[:-1]:
            try:
                return self.fetch(file, report, what)
            except NotThere:
                continue
        try:
            return self.fetch(choice[-1], report, what)
        except NotThere:
            raise _none_of(choice) from None

    def fetch_all(
        self, choices: Iterable[Alternatives], what: str, report: Report = silent, most: int | None = None
    ) -> tuple[Path, ...]:
        """The first of each choice, once the disk is seen to have room for all. `what` names them.

        DemoError where more than `most` bytes would have to come.
        """
        choices = tuple(choices)
        size = sum(size or 0 for _, size in self._missing(choices, self._downloads.metadata))
        if most is not None and size > most:
            raise DemoError(f"To download {what} would take {in_bytes(size)}: more than SDXL's, whatever their form.")
        check_room(f"download {what}", size, self._cache, self._free)
        return tuple(self.first(choice, report, what) for choice in choices)

    def missing(self, choices: Iterable[Alternatives]) -> tuple[tuple[File, int | None], ...]:
        """What a first use would download, each file with the bytes to come, or None where the hub doesn't tell.

        As the hub had it within the last minutes. DemoError where it refuses, or where no file of a choice is there.
        """
        return self._missing(choices, self._downloads.metadata_lately)

    def require(self, choices: Iterable[Alternatives]) -> None:
        """Raises DemoError where a choice has no file that can be had, as far as the hub tells."""
        self._missing(choices, self._downloads.metadata)

    def spelled(self, repo_id: str) -> str:
        """A public repository's id as the hub spells it: other capitals and former names lead to it as well.

        Where the hub can't be asked it is as the cache has it, or as given. DemoError where there is none.
        """
        ask = partial(HfApi(self._endpoint).model_info, repo_id, timeout=_TIMEOUT, token=False)
        try:
            return str(self._spellings.get(repo_id.casefold(), lambda: ask().id))
        except RepositoryNotFoundError as error:
            raise sentence(error, HubRepo(repo_id, anonymous=True), "its page") from error
        except (*HUB_ERRORS, ValueError, TypeError, KeyError):
            folders = (path.name.removeprefix("models--") for path in self._cache.glob("models--*"))
            known = (name.replace("--", "/") for name in folders)
            return next((name for name in known if name.casefold() == repo_id.casefold()), repo_id)

    def holds(self, choices: Iterable[Alternatives]) -> bool:
        """Whether a file of each choice is on this disk."""
        return all(any(self._is_local(file) for file in choice) for choice in choices)

    def on_disk(self, choice: Alternatives) -> tuple[File, Path] | None:
        """The first of these files that is on this disk, with its path; the hub is not asked."""
        for file in choice:
            if self._is_local(file):
                source = file.source
                path = source.path / file.name if isinstance(source, Folder) else self._cached(source, file.name)
                assert path
                return file, path
        return None

    def header(self, file: File) -> Header:
        """The header of a `.safetensors` file, of which nothing else is read or downloaded.

        DemoError where it can't be had, BrokenFile where it is none.
        """
        source = file.source
        if isinstance(source, Folder) or (not source.anonymous and self._is_local(file)):
            return read_header(self.fetch(file))
        try:
            # Not parse_safetensors_file_metadata, which multiplies whatever a stranger's header gives for a shape.
            start = self._downloads.part(source, file.name, 0, _MOST_HEADERS)
            size = header_size(start)
            whole = start[8:] if 8 + size <= len(start) else self._downloads.part(source, file.name, 8, size)
        except HUB_ERRORS as error:
            raise sentence(error, source, file.name) from error
        return parse_header(whole[:size])

    def names(self, repo: HubRepo) -> tuple[str, ...]:
        """The files of a repository, as the hub listed them within the last minutes. DemoError where it doesn't."""
        token = self._downloads.token.of(repo)
        ask = partial(HfApi(self._endpoint).model_info, repo.id, revision=repo.revision, timeout=_TIMEOUT, token=token)
        try:
            return self._listings.get(repo, lambda: tuple(one.rfilename for one in ask().siblings or ()))
        except HUB_ERRORS as error:
            raise sentence(error, repo, "its list of files") from error
        except (ValueError, TypeError, KeyError) as error:
            raise sentence(NotTheHub("it lists no files"), repo, "its list of files") from error

    def has(self, file: File) -> bool:
        """Whether the file is on this disk or on the hub; False where the hub doesn't say."""
        if self._is_local(file) or isinstance(file.source, Folder):
            return self._is_local(file)
        try:
            self._downloads.metadata(file.source, file.name, patient=False)
        except HUB_ERRORS:
            return False
        return True

    def forget(self, file: File) -> None:
        """Removes the file from the cache, to make room. What lies in a folder is not ours to remove."""
        if isinstance(file.source, HubRepo) and (path := self._cached(file.source, file.name)) is not None:
            remove(path, file)

    def _missing(self, choices: Iterable[Alternatives], ask: Ask) -> tuple[tuple[File, int | None], ...]:
        wanted = [choice for choice in choices if not any(self._is_local(file) for file in choice)]
        try:
            first = [self._first_there(choice, ask) for choice in wanted[:1]]
            with ThreadPoolExecutor(8) as pool:
                found = [*first, *pool.map(lambda choice: self._first_there(choice, ask), wanted[1:])]
        except Unreachable:
            found = [(choice[0], None) for choice in wanted]
        return tuple(dict.fromkeys(found))

    def _first_there(self, choice: Alternatives, ask: Ask) -> tuple[File, int | None]:
        """The first of these files that the hub has, and its bytes to come. DemoError where it has none."""
        for file in choice:
            if isinstance(file.source, HubRepo):
                try:
                    return file, self._downloads.remaining(file.source, file.name, ask(file.source, file.name))
                except MISSING:
                    continue
                except HUB_ERRORS as error:
                    raise sentence(error, file.source, file.name) from error
        raise _none_of(choice)

    def _is_local(self, file: File) -> bool:
        if isinstance(file.source, Folder):
            return (file.source.path / file.name).is_file()
        return self._cached(file.source, file.name) is not None

    def _cached(self, repo: HubRepo, name: str) -> Path | None:
        try:
            found = try_to_load_from_cache(repo.id, name, cache_dir=self._cache, revision=repo.revision)
        except HFValidationError:
            return None  # The download says so in a sentence.
        return Path(found) if isinstance(found, str) else None

    def _in_cache(self, repo: HubRepo, name: str, report: Report, what: str) -> Path:
        # Whether anyone may read an anonymous repository is for the hub to say. What it said is good for the time that
        # a request takes: who has the device for itself must not wait for the hub.
        asked, file = (repo, name), File(repo, name)
        path = self._allowed.known(asked) if repo.anonymous else self._cached(repo, name)
        if path is not None and path.exists():
            if not trouble_of(path, file):
                return path
            remove(path, file)
        if known := self._damaged.known(asked):
            raise DemoError(known)
        path, is_new = self._downloads.fetch(repo, name, report, what)
        if not is_new and trouble_of(path, file):  # what lay on this disk was taken for the hub's
            remove(path, file)
            path, _ = self._downloads.fetch(repo, name, report, what)
        if trouble := trouble_of(path, file):
            remove(path, file)
            damaged = f"{name} of {repo} is damaged on the hub itself: {trouble}."
            self._damaged.note(asked, damaged)
            raise DemoError(damaged)
        if repo.anonymous:
            self._allowed.note(asked, path)
        return path


def _none_of(choice: Alternatives) -> NotThere:
    others = " nor any that could stand in for it" if len(choice) > 1 else ""
    return NotThere(f"{choice[0].source} has no file {choice[0].name}{others}.")


def _in_folder(folder: Folder, name: str) -> Path:
    path = folder.path / name
    if not path.is_file():
        raise NotThere(f"{folder} has no file {name}.")
    require_itself(path)
    if trouble := trouble_of(path, File(folder, name)):
        raise DemoError(f"{name} of {folder} is damaged: {trouble}.")
    return path
