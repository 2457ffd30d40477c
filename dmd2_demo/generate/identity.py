"""Which weights a picture is made with: each file with its revision and hash."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from dmd2_demo.hub.hub import Hub
from dmd2_demo.models.files import Alternatives, is_weights, shards
from dmd2_demo.models.parts import Lora, Part, PipelineSpec
from dmd2_demo.models.sources import File

Weights = list[dict[str, str]]
"""One entry a file: `part`, `file`, `sha256`, the `revision` of the repository it came from where it did, and
`autov3`, a shorter hash that other tools know LoRAs by."""

Identify = Callable[[PipelineSpec], Weights]


def unidentified(spec: PipelineSpec) -> Weights:  # noqa: ARG001 - an Identify
    """Tells nothing."""
    return []


def identified(hub: Hub, spec: PipelineSpec) -> Weights:
    """What is on this disk of the weights of a spec.

    A file of one's own is read for its hash, once; the hub's cache names its files by theirs.
    """
    return [entry for part in spec.parts() for entry in of_part(hub, part)]


def of_part(hub: Hub, part: Part) -> Weights:
    """The same of one of its parts."""
    told: Weights = []
    for choice in filter(is_weights, part.files()):
        for file, path in _files(hub, choice):
            revision = _revision(path)
            entry = {"part": part.title, "file": str(file), "sha256": _sha256(path)}
            short = {"autov3": _autov3(path)} if isinstance(part, Lora) else {}
            told.append(entry | ({"revision": revision} if revision else {}) | short)
    return told


def _files(hub: Hub, choice: Alternatives) -> Iterator[tuple[File, Path]]:
    """What there is of a choice; for an index, the files that it lists."""
    found = hub.on_disk(choice)
    if found is not None:
        cut = shards(choice, found[1])
        yield from filter(None, (hub.on_disk((piece,)) for piece in cut)) if cut else (found,)


def _revision(path: Path) -> str | None:
    """The commit, which the hub's cache names the folder by."""
    found = re.search(r"/snapshots/([0-9a-f]{40})/", path.as_posix())
    return found[1] if found else None


def _autov3(path: Path) -> str:
    """What WebUI and sites that list LoRAs know one by: the hash of its tensors alone, twelve digits of it."""
    path = path.resolve()
    status = path.stat()
    return _hash_of_tensors(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=256)
def _hash_of_tensors(path: Path, size: int, modified: int) -> str:  # noqa: ARG001 - a file that changed is another
    with path.open("rb") as file:
        file.seek(8 + int.from_bytes(file.read(8), "little"))
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def _sha256(path: Path) -> str:
    path = path.resolve()
    if path.parent.name == "blobs" and re.fullmatch("[0-9a-f]{64}", path.name):
        return path.name
    status = path.stat()
    return _hash(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=256)
def _hash(path: Path, size: int, modified: int) -> str:  # noqa: ARG001 - a file that changed is another
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
