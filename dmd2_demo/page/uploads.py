"""Which files a visitor's request may name: what they uploaded, and what the page itself gave them."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from threading import Lock
from typing import Any

from dmd2_demo.errors import DemoError
from dmd2_demo.page.visitors import Visitor

NOT_YOURS = (
    "Only pictures uploaded to this page can be used, not paths or web addresses. Please choose the picture again."
)
"""The one answer for every other file, whether it exists or not."""

LARGEST = 50_000_000  # bytes of a file
_LONGEST_UPLOAD = 3600  # seconds without a byte, after which nothing more comes
KEPT = 24 * 3600
"""Seconds that what visitors sent and got is kept."""

_MOST = 100_000  # files that are remembered

_META = {"_type": "gradio.FileData"}


@dataclass
class _Known:
    """A file in Gradio's cache: `unclaimed` uploads of it that no session has used yet, and those that may use it."""

    unclaimed: int = 0
    visitors: set[str] = field(default_factory=set)


class Uploads:
    """The files of each visitor, by their paths in Gradio's cache in `folder`; of anything else nothing is known.

    Gradio names an upload by its contents, and the upload itself says nothing of a session: the first session that
    uses it is taken for its owner. Who uploads the same again is an owner too.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._shown_to_all: frozenset[str] = frozenset()
        self._stored_at: deque[tuple[float, Path]] = deque()  # of data URLs' files, the oldest first

    def shown_to_all(self, value: Any) -> None:
        """Everybody sees `value` and may use the files in it, as the examples."""
        self._shown_to_all |= frozenset(_paths_in(value))

    def uploaded(self, path: str) -> None:
        """Somebody uploaded that file."""
        with self._lock:
            self._of(path).unclaimed += 1

    def given(self, value: Any, visitor: Visitor) -> None:
        """The page shows `value` to that visitor: the files in it may come back."""
        with self._lock:
            for path in _paths_in(value):
                self._of(path).visitors.add(visitor.name)

    def admit(self, value: Any, visitor: Visitor) -> Any:
        """`value` as Gradio may have it. DemoError where it names a file that is not the visitor's."""
        for file in _files_in(value):
            path = file.get("path")
            if path is not None and not (isinstance(path, str) and self._is_of(path, visitor)):
                raise DemoError(NOT_YOURS)
        return value

    def require_no_files(self, value: Any) -> None:
        """Raises DemoError where Gradio would take something in `value`, which the page is to show, for a file.

        Its own files the page shows by their paths alone: such a thing comes from a stranger's picture or request.
        """
        if any("meta" in file for file in _files_in(value)):
            raise DemoError("Those settings hold what stands for a file on this page: they are not shown.")

    def sweep(self) -> None:
        """Removes what Gradio leaves where it is.

        That is uploads under names that it does not look for, and files of data URLs, of which it never hears where
        something else in the same request is refused.
        """
        while self._stored_at and time.time() - self._stored_at[0][0] > KEPT:
            rmtree(self._stored_at.popleft()[1].parent, ignore_errors=True)
        with suppress(OSError):
            for entry in os.scandir(self._folder):
                if entry.is_file() and time.time() - entry.stat().st_mtime > _LONGEST_UPLOAD:
                    Path(entry).unlink(missing_ok=True)

    def admit_picture(self, value: Any, visitor: Visitor) -> dict[str, Any] | None:
        """The file that an input for pictures was sent, in Gradio's form; None where it was sent none.

        A picture may also come as a data URL, which is stored as if it had been uploaded. DemoError otherwise.
        """
        place = (value.get("path") or value.get("url")) if isinstance(value, dict) else value
        if place is None or place == "":
            if isinstance(value, dict):
                self.admit(list(value.values()), visitor)  # nothing hides in what looks like nothing
            return None
        if isinstance(place, str) and place[:5].lower() == "data:":
            place = self._stored(place, visitor)
        elif not (isinstance(value, dict) and isinstance(place, str) and self._is_of(place, visitor)):
            raise DemoError(NOT_YOURS)
        return {"path": place, "meta": dict(_META)}

    def _stored(self, url: str, visitor: Visitor) -> str:
        header, _, content = url.partition(",")
        if not header.lower().endswith(";base64"):
            raise DemoError("A picture in a data URL must be in base64: data:image/png;base64,...")
        if len(content) > LARGEST * 4 // 3:
            raise DemoError(f"The picture is too large: the most is {LARGEST / 1e6:g} MB.")
        try:
            decoded = base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            raise DemoError("The picture's data URL is damaged: it is no base64.") from None
        path = self._folder / secrets.token_hex(32) / "picture"
        path.parent.mkdir(parents=True)
        try:
            path.write_bytes(decoded)
        except OSError:
            rmtree(path.parent, ignore_errors=True)
            raise
        self._stored_at.append((time.time(), path))
        self.sweep()
        with self._lock:
            self._of(str(path)).visitors.add(visitor.name)
        return str(path)

    def _of(self, path: str) -> _Known:
        known = self._known.setdefault(path, _Known())
        self._known.move_to_end(path)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        return known

    def _is_of(self, path: str, visitor: Visitor) -> bool:
        if path in self._shown_to_all:
            return True
        with self._lock:
            known = self._known.get(path)
            if known is None:
                return False
            if visitor.name not in known.visitors:
                if not known.unclaimed:
                    return False
                known.unclaimed -= 1
                known.visitors.add(visitor.name)
            return True


def _paths_in(shown: Any) -> Iterator[str]:
    """Of the files in something that the page shows."""
    for file in _files_in(shown):
        if isinstance(file["path"], str) and file.get("meta") == _META:
            yield file["path"]


def _files_in(value: Any) -> Iterator[dict[str, Any]]:
    """Everything in `value` that Gradio might take for a file, however deep."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            if "path" in found:
                yield found
            waiting.extend(found.values())
        elif isinstance(found, list | tuple):
            waiting.extend(found)
