"""A disk that fills up while something is uploaded or kept: a sentence, and all works once there is room again."""

from __future__ import annotations

import base64
import errno
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio import processing_utils
from gradio.route_utils import GradioUploadFile
from gradio.utils import get_upload_folder
from PIL import Image

from dmd2_demo.page.full_disk import FULL_DISK
from tests.raw_visitor import RawVisitor

FULL = Path("/dev/full")  # whatever is written there finds no room

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="this system has no disk that is always full")


def files_kept() -> set[Path]:
    """Of uploads and pictures."""
    return {path for path in Path(get_upload_folder()).rglob("*") if path.is_file()}


async def write_without_room(upload: GradioUploadFile, data: bytes) -> None:
    """Some of it finds room, and no more."""
    upload.file.write(data[:100])
    raise OSError(errno.ENOSPC, "No space left on device")


def wait_until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def raw(address: str) -> Iterator[RawVisitor]:
    with RawVisitor(address) as raw:
        yield raw


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    path = tmp_path / "noise.png"
    Image.effect_noise((256, 256), 90).save(path)
    return path


def test_upload_without_room_is_a_sentence(
    address: str, raw: RawVisitor, noise: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_kept()
    with monkeypatch.context() as patch:
        patch.setattr(GradioUploadFile, "write", write_without_room)
        with noise.open("rb") as file:
            answer = httpx.post(f"{address}gradio_api/upload", files={"files": ("noise.png", file)}, timeout=60)
        assert (answer.status_code, answer.text) == (httpx.codes.INSUFFICIENT_STORAGE, FULL_DISK)
    assert files_kept() == before
    assert raw.ask("canny", prompt="a cat", image=raw.upload(noise)).data


def test_data_url_without_room_is_a_sentence_and_leaves_nothing(
    raw: RawVisitor, noise: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"data:image/png;base64,{base64.b64encode(noise.read_bytes()).decode()}"
    before = files_kept()
    write = Path.write_bytes

    def without_room(path: Path, data: bytes) -> int:
        write(path, data[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", without_room)
        assert raw.ask("canny", prompt="a cat", image=url).error == FULL_DISK
    assert files_kept() == before
    assert raw.ask("canny", prompt="a cat", image=url).data


def test_visitor_who_goes_away_in_the_middle_of_an_upload_leaves_nothing(
    address: str, raw: RawVisitor, noise: Path
) -> None:
    before = files_kept()
    url = httpx.URL(address)
    head = (
        f"POST /gradio_api/upload HTTP/1.1\r\nHost: {url.host}\r\nContent-Length: 1000000\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="files"; filename="noise.png"\r\n\r\n'
    )
    with socket.create_connection((url.host, url.port or 80), timeout=60) as visitor:
        visitor.sendall(head.encode() + noise.read_bytes())
        wait_until(lambda: len(files_kept() - before) == 1)
    wait_until(lambda: files_kept() == before)
    assert raw.ask("canny", prompt="a cat", image=raw.upload(noise)).data


def test_picture_that_gradio_has_no_room_to_keep_is_a_sentence(
    raw: RawVisitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_room(*_: Any, **__: Any) -> str:
        with FULL.open("wb", buffering=0) as file:
            file.write(b"pixels")
        raise AssertionError

    with monkeypatch.context() as patch:
        patch.setattr(processing_utils, "save_file_to_cache", without_room)
        assert raw.ask("text_to_image", prompt="a cat", steps=1).error == FULL_DISK
    assert raw.ask("text_to_image", prompt="a cat", steps=1).data
