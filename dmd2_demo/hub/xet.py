"""Bytes by Xet, the hub's own storage: several times faster than HTTP, into the same file and from where that ends.

huggingface_hub's way throws away what a killed download has fetched, and can't be stopped by whoever it reports to. So
the client beneath it, which huggingface_hub has installed, is asked for a stream that begins where the file ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import IO, Any

from huggingface_hub import HfFileMetadata
from huggingface_hub.utils._runtime import is_xet_available
from huggingface_hub.utils._xet import get_xet_session, refresh_xet_connection_info, xet_headers_without_auth

_PATIENCE = 0.2  # seconds between two words to whoever waits, who may stop it


class XetFailed(Exception):
    """Xet did not bring the rest of the file; what it brought is in it."""


@dataclass(frozen=True)
class XetStream:
    """The contents of one file that the hub keeps in Xet. `headers` are what the hub is asked with."""

    file: Any
    size: int
    headers: Mapping[str, str]

    @classmethod
    def of(cls, known: HfFileMetadata, headers: Mapping[str, str]) -> XetStream | None:
        """None where the hub does not keep that file so, or this machine has no Xet or has it off."""
        if known.xet_file_data is None or known.size is None or not is_xet_available():
            return None
        return cls(known.xet_file_data, known.size, headers)

    def get(self, temp_file: IO[bytes], resume_size: int, arrived: Callable[[int], None]) -> None:
        """Adds what comes after the first `resume_size` bytes.

        `arrived` is told the bytes that came since it was told last, five times a second even where none came; what it
        raises stops the transfer at once. Raises XetFailed.
        """
        with _failing():
            group = self._group()
        counts: SimpleQueue[int | None] = SimpleQueue()  # None is the end
        ended: list[Exception] = []
        stopped = threading.Event()

        def transfer() -> None:
            try:
                with _failing():
                    stream = iter(group.download_stream(self._info(), start=resume_size))
                while not stopped.is_set() and (chunk := _next(stream)):
                    temp_file.write(chunk)
                    counts.put(len(chunk))
            except Exception as error:  # noqa: BLE001 - raised below, where somebody waits
                ended.append(error)
            finally:
                counts.put(None)

        thread = threading.Thread(target=transfer, name="xet", daemon=True)
        thread.start()
        try:
            for count in _as_they_come(counts):
                arrived(count)
        except BaseException:
            stopped.set()
            group.abort()
            raise
        finally:
            thread.join()
        if ended:
            raise ended[0]
        if temp_file.tell() != self.size:
            raise XetFailed("it ended early")

    def _group(self) -> Any:
        """A connection to the storage, with a token that is fetched anew when it expires."""
        connection = refresh_xet_connection_info(file_data=self.file, headers=dict(self.headers))
        session: Any = get_xet_session()  # type: ignore[no-untyped-call]
        return session.new_download_stream_group(
            endpoint=connection.endpoint,
            token=connection.access_token,
            token_expiry_unix_secs=connection.expiration_unix_epoch,
            token_refresh_url=self.file.refresh_route,
            token_refresh_headers=dict(self.headers),
            custom_headers=xet_headers_without_auth(dict(self.headers)),
        )

    def _info(self) -> Any:
        from hf_xet import XetFileInfo  # noqa: PLC0415 - not on every machine

        return XetFileInfo(self.file.file_hash, self.size)


@contextmanager
def _failing() -> Iterator[None]:
    """Raises XetFailed for whatever goes wrong within: the client beneath has no errors of its own to tell apart."""
    try:
        yield
    except Exception as error:
        raise XetFailed(str(error)) from error


def _next(stream: Iterator[bytes]) -> bytes:
    """b"" at the end."""
    with _failing():
        return next(stream, b"")


def _as_they_come(counts: SimpleQueue[int | None]) -> Iterator[int]:
    """Counts until None, and 0 whenever none came for a while."""
    while True:
        try:
            count = counts.get(timeout=_PATIENCE)
        except Empty:
            count = 0
        if count is None:
            return
        yield count
