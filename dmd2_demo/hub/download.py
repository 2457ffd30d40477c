"""One file's way from the hub into its cache; it goes on where it was cut, even by a killed process.

huggingface_hub 2 throws a partial file away when a download fails. So the bytes are fetched by Xet, or where that is
not to be had by its own resumable `http_get`, into a partial file among the cache's blobs, checked against the hash
that names them, and moved to where `hf_hub_download` finds them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar, cast

import httpx2
from huggingface_hub import (
    HfFileMetadata,
    constants,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.file_download import http_get, repo_folder_name
from huggingface_hub.utils import WeakFileLock, build_hf_headers, get_session, hf_raise_for_status

from dmd2_demo.errors import DemoError
from dmd2_demo.hub.disk import Free, check_room
from dmd2_demo.hub.hub_errors import HUB_ERRORS, MISSING, NotTheHub, sentence
from dmd2_demo.hub.proxies import require_usable_proxies
from dmd2_demo.hub.remembered import Remembered
from dmd2_demo.hub.token import OperatorToken
from dmd2_demo.hub.transfer import Bar, Corrupt, Get, complete, length
from dmd2_demo.hub.xet import XetFailed, XetStream
from dmd2_demo.models.sources import HubRepo
from dmd2_demo.progress import Progress, Report, in_bytes

_log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

_WEIGHTS = (".safetensors", ".bin", ".pt")
_LONGEST_TEXT = 20_000_000  # bytes of a config, index or tokenizer: all are read whole
_PASSING = {408, 429, 500, 502, 503, 504}  # statuses that a second try may not meet
_TIMEOUT, _SHORT_TIMEOUT = 10.0, 3.0  # seconds for an answer about a file
LATELY = 120.0  # seconds for which an answer that nothing depends on is not asked for again


@dataclass(frozen=True)
class Downloader:
    """Brings files from the hub at `endpoint` (None: huggingface_hub's own) into `cache`."""

    cache: Path
    endpoint: str | None
    free: Free
    token: OperatorToken = field(default_factory=OperatorToken)
    lately: Remembered[tuple[HubRepo, str], HfFileMetadata] = field(default_factory=lambda: Remembered(LATELY))

    def metadata(self, repo: HubRepo, name: str, *, patient: bool = True, timeout: float = _TIMEOUT) -> HfFileMetadata:
        """What the hub says of a file: size, hash, commit. Raises one of HUB_ERRORS, or DemoError.

        With patience, a hub that is busy or in trouble is asked again for about 20 seconds. Where it refuses the
        operator's token it is asked once more without.
        """
        require_usable_proxies()
        token = self.token.of(repo)
        ask = partial(self._ask, repo, name, timeout)
        try:
            return ask(token)
        except HfHubHTTPError as error:
            if token and error.response.status_code == httpx2.codes.UNAUTHORIZED:
                return self._without(str(token), ask, error)
            if not patient or error.response.status_code not in _PASSING:
                raise
            return ask(token, retry_on_errors=True)

    def metadata_lately(self, repo: HubRepo, name: str) -> HfFileMetadata:
        """The same as of the last minutes: a short question, asked once for all who want to know."""
        return self.lately.get((repo, name), partial(self.metadata, repo, name, patient=False, timeout=_SHORT_TIMEOUT))

    def remaining(self, repo: HubRepo, name: str, known: HfFileMetadata) -> int | None:
        """The bytes of a file that are still to come, or None where the hub doesn't tell."""
        blob = self._blob(repo, known)
        if known.size is None or blob is None:
            return known.size
        if blob.exists() or self._is_copied(repo, name, known):
            return 0
        return max(0, known.size - length(_incomplete(blob)))

    def _ask(
        self, repo: HubRepo, name: str, timeout: float, token: str | bool, *, retry_on_errors: bool = False
    ) -> HfFileMetadata:
        known = get_hf_file_metadata(
            self._url(repo, name),
            token=token,
            timeout=timeout,
            endpoint=self.endpoint,
            retry_on_errors=retry_on_errors,
        )
        # What huggingface_hub asks for as well, but after the download.
        if not known.commit_hash or not known.etag:
            raise NotTheHub(self.endpoint or constants.ENDPOINT)
        return known

    def part(self, repo: HubRepo, name: str, start: int, length: int) -> bytes:
        """So many bytes of a file from `start` on, or those that it has. Raises one of HUB_ERRORS, or DemoError.

        Where the hub refuses the operator's token it is asked once more without.
        """
        require_usable_proxies()
        token = self.token.of(repo)
        ask = partial(self._part, repo, name, start, length)
        try:
            return ask(token)
        except HfHubHTTPError as error:
            if token and error.response.status_code == httpx2.codes.UNAUTHORIZED:
                return self._without(str(token), ask, error)
            raise

    def _part(self, repo: HubRepo, name: str, start: int, length: int, token: str | bool) -> bytes:
        asked = {"range": f"bytes={start}-{start + length - 1}", "accept-encoding": "identity"}
        headers = build_hf_headers(token=token) | asked
        with get_session().stream("GET", self._url(repo, name), headers=headers, timeout=_TIMEOUT) as answer:
            hf_raise_for_status(answer)
            if start and answer.status_code != httpx2.codes.PARTIAL_CONTENT:
                raise NotTheHub("it sends no part of a file")
            content = bytearray()
            for piece in answer.iter_raw():
                content += piece
                if len(content) >= length:
                    break
        return bytes(content[:length])

    def _without(self, token: str, ask: Callable[[bool], Answer], refusal: HfHubHTTPError) -> Answer:
        """The answer to a question without the operator's token, which was refused with it."""
        try:
            answer = ask(False)
        except MISSING:
            self.token.refused(token)
            raise
        except HUB_ERRORS:
            raise refusal from None
        self.token.refused(token)
        return answer

    def fetch(self, repo: HubRepo, name: str, report: Report, what: str) -> tuple[Path, bool]:
        """The file's path in the cache, and whether it came just now, complete and as the hub has it.

        DemoError where it can't be had.
        Threads and processes that want the same file wait for one download. `report` is told of `what`; it may raise
        to stop the download: what has arrived stays and is not fetched again.
        """
        try:
            known = self.metadata(repo, name)
            if not name.endswith(_WEIGHTS) and (known.size or 0) > _LONGEST_TEXT:
                raise DemoError(f"{name} of {repo} is too long to be what its name says ({in_bytes(known.size or 0)}).")
            blob = self._blob(repo, known)
            is_new = not (blob and blob.exists()) and not self._is_copied(repo, name, known)
            if blob and is_new:
                self._ensure(blob, repo, name, known, report, what)
            path = hf_hub_download(
                repo.id,
                name,
                revision=repo.revision,
                cache_dir=self.cache,
                endpoint=self.endpoint,
                token=self.token.of(repo),
            )
            if blob and not Path(path).is_symlink():
                blob.unlink(missing_ok=True)  # Without links the file was copied out of the blobs.
            return Path(path), is_new
        except HUB_ERRORS as error:
            raise sentence(error, repo, name) from error
        except OSError as error:
            raise DemoError(f"{name} of {repo} can't be stored on this disk: {error.strerror or error}.") from error

    def _blob(self, repo: HubRepo, known: HfFileMetadata) -> Path | None:
        """Where the cache keeps the file's contents."""
        if not known.etag or not re.fullmatch(r"[\w.-]+", known.etag):
            return None
        return self.cache / repo_folder_name(repo_id=repo.id, repo_type="model") / "blobs" / known.etag

    def _is_copied(self, repo: HubRepo, name: str, known: HfFileMetadata) -> bool:
        """Whether the cache has that very file where it is looked for, without its contents among the blobs.

        So it is on disks without links.
        """
        found = try_to_load_from_cache(repo.id, name, cache_dir=self.cache, revision=known.commit_hash)
        return isinstance(found, str) and not Path(found).is_symlink()

    def _ensure(self, blob: Path, repo: HubRepo, name: str, known: HfFileMetadata, report: Report, what: str) -> None:
        """Makes `blob`, complete or not at all, once for all who want it."""
        headers = build_hf_headers(token=self.token.of(repo))
        bar = partial(Bar, report, what)
        by_http = partial(
            http_get,
            self._url(repo, name),
            # Compressed answers can't be continued in the middle.
            headers=headers | {"accept-encoding": "identity"},
            expected_size=known.size,
            tqdm_class=cast("type[Any]", bar),
        )
        get = xet_first(XetStream.of(known, headers), bar, by_http)
        incomplete = _incomplete(blob)
        lock = self.cache / ".locks" / blob.parent.parent.name / f"{incomplete.name}.lock"
        for path in (blob, lock):
            path.parent.mkdir(parents=True, exist_ok=True)
        with WeakFileLock(lock):
            if not blob.exists():
                missing = (known.size or 0) - length(incomplete)
                check_room(f"download {name} of {repo}", missing, blob.parent, self.free)
                try:
                    complete(incomplete, get, known, partial(report, Progress(f"Checking {what}")))
                except Corrupt as error:
                    raise DemoError(
                        f"{name} of {repo} arrived damaged twice ({error}). It was removed; please try again later."
                    ) from error
                incomplete.replace(blob)

    def _url(self, repo: HubRepo, name: str) -> str:
        return hf_hub_url(repo.id, name, revision=repo.revision, endpoint=self.endpoint)


def xet_first(xet: XetStream | None, bar: Callable[..., Bar], by_http: Get) -> Get:
    """Gets a file's bytes by Xet until that fails once, and from there on by HTTP."""

    def get(temp_file: IO[bytes], resume_size: int) -> None:
        nonlocal xet
        if xet is not None:
            try:
                xet.get(temp_file, resume_size, bar(total=xet.size, initial=resume_size).update)
            except XetFailed:
                _log.warning("Xet failed; going on by HTTP", exc_info=True)
                xet = None
                resume_size = temp_file.tell()
            else:
                return
        by_http(temp_file=temp_file, resume_size=resume_size)

    return get


def _incomplete(blob: Path) -> Path:
    """Where what has arrived waits for the rest."""
    return blob.with_name(f"{blob.name}.incomplete")
