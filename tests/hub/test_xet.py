"""Downloads by Xet: the real client against a storage that is a folder."""

from __future__ import annotations

import hashlib
import io
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub import constants
from huggingface_hub.utils._xet import get_xet_session

from dmd2_demo.errors import Cancelled, DemoError
from dmd2_demo.hub.hub import Hub
from dmd2_demo.hub.xet import XetStream
from dmd2_demo.models.sources import File, HubRepo
from dmd2_demo.progress import Progress
from tests.local_hub import LocalHub
from tests.slow_xet import slow_group

NAME = "weights.bin"
FILE = File(HubRepo("owner/model"), NAME)
SIZE = 30_000_000


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A folder with the file, the address of a storage that has it too, and its hash there."""
    folder = tmp_path_factory.mktemp("xet")
    repo, storage = folder / "repo", folder / "storage"
    repo.mkdir()
    storage.mkdir()
    (repo / NAME).write_bytes(random.Random(0).randbytes(SIZE))
    session: Any = get_xet_session()  # type: ignore[no-untyped-call]
    with session.new_upload_commit(endpoint=f"local://{storage}") as commit:
        upload = commit.start_upload_file(str(repo / NAME))
    return repo, f"local://{storage}", upload.result().xet_info.hash


@pytest.fixture
def local(stored: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    repo, storage, key = stored
    monkeypatch.setenv("HF_TOKEN", "")
    with LocalHub({"owner/model": repo}, in_xet={NAME: key}, xet=storage) as hub:
        yield hub


@pytest.fixture
def ours(local: LocalHub, cache: Path) -> Hub:
    return Hub(cache, local.url)


def partial_file(cache: Path) -> Path:
    (found,) = cache.rglob("*.incomplete")
    return found


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_it_arrives_whole_and_told_without_a_byte_by_http(
    ours: Hub, local: LocalHub, stored: tuple[Path, str, str]
) -> None:
    told: list[Progress] = []
    assert digest(ours.fetch(FILE, told.append)) == digest(stored[0] / NAME)
    assert local.downloads(NAME) == []
    assert told[-2].sentence == f"Downloading {NAME}: 30 MB of 30 MB"
    assert told[-1].sentence == f"Checking {NAME}"


def test_stop_keeps_what_came_and_the_next_try_begins_there(
    ours: Hub, local: LocalHub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(XetStream, "_group", slow_group)

    def stop(progress: Progress) -> None:
        if progress.fraction and progress.fraction > 0.1:
            raise Cancelled

    with pytest.raises(Cancelled):
        ours.fetch(FILE, stop)
    arrived = partial_file(cache).stat().st_size
    assert 0 < arrived < SIZE
    told: list[Progress] = []
    ours.fetch(FILE, told.append)
    assert told[0].fraction is not None
    assert told[0].fraction >= arrived / SIZE
    assert local.downloads(NAME) == []


def test_stop_is_heard_while_nothing_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    aborted = threading.Event()

    def stalled() -> Iterator[bytes]:
        yield b"some"
        aborted.wait(30)

    group = SimpleNamespace(download_stream=lambda info, start: stalled(), abort=aborted.set)
    monkeypatch.setattr(XetStream, "_group", lambda self: group)
    stream = XetStream(SimpleNamespace(file_hash="0" * 64), SIZE, {})
    began = time.monotonic()

    def arrived(count: int) -> None:
        if time.monotonic() - began > 1:
            raise Cancelled

    with pytest.raises(Cancelled):
        stream.get(io.BytesIO(), 0, arrived)
    assert aborted.is_set()
    assert time.monotonic() - began < 10


def test_a_killed_process_is_gone_on_from(ours: Hub, local: LocalHub, cache: Path) -> None:
    program = f"""
import os, signal
from pathlib import Path
from dmd2_demo.hub.hub import Hub
from dmd2_demo.models.sources import File, HubRepo
from dmd2_demo.hub.xet import XetStream
from tests.slow_xet import slow_group
XetStream._group = slow_group
def report(progress):
    if progress.fraction and progress.fraction > 0.1:
        os.kill(os.getpid(), signal.SIGKILL)
Hub(Path({str(cache)!r}), {local.url!r}).fetch(File(HubRepo("owner/model"), {NAME!r}), report)
"""
    killed = subprocess.run([sys.executable, "-c", program], check=False, env=os.environ | {"PYTHONPATH": "."})
    assert killed.returncode == -signal.SIGKILL
    arrived = partial_file(cache).stat().st_size
    assert 0 < arrived < SIZE
    told: list[Progress] = []
    ours.fetch(FILE, told.append)
    assert told[0].fraction is not None
    assert told[0].fraction >= arrived / SIZE


def test_where_xet_fails_http_goes_on(
    ours: Hub, local: LocalHub, stored: tuple[Path, str, str], caplog: pytest.LogCaptureFixture
) -> None:
    local.in_xet[NAME] = "0" * 64  # the storage has no such thing
    assert digest(ours.fetch(FILE)) == digest(stored[0] / NAME)
    assert len(local.downloads(NAME)) == 1
    assert "Xet failed" in caplog.text


def test_where_xet_is_off_http_does_it(ours: Hub, local: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    ours.fetch(FILE)
    assert len(local.downloads(NAME)) == 1


def test_what_xet_damages_is_fetched_again_and_then_told(
    ours: Hub, local: LocalHub, stored: tuple[Path, str, str], cache: Path
) -> None:
    other = bytes(SIZE)
    session: Any = get_xet_session()  # type: ignore[no-untyped-call]
    with session.new_upload_commit(endpoint=stored[1]) as commit:
        upload = commit.start_upload_bytes(other)
    local.in_xet[NAME] = upload.result().xet_info.hash
    with pytest.raises(DemoError, match="arrived damaged twice"):
        ours.fetch(FILE)
    assert not list(cache.rglob("*.incomplete"))
