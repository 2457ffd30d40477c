"""A disk that fills up while something is uploaded or kept: a sentence, and all works once there is room again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio import processing_utils, route_utils
from PIL import Image

from dmd2_demo.page.full_disk import FULL_DISK
from tests.raw_visitor import RawVisitor

FULL = Path("/dev/full")  # whatever is written there finds no room

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="this system has no disk that is always full")


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
    with monkeypatch.context() as patch, FULL.open("wb", buffering=0) as without_room:
        patch.setattr(route_utils, "NamedTemporaryFile", lambda *_, **__: without_room)
        with noise.open("rb") as file:
            answer = httpx.post(f"{address}gradio_api/upload", files={"files": ("noise.png", file)}, timeout=60)
        assert (answer.status_code, answer.text) == (httpx.codes.INSUFFICIENT_STORAGE, FULL_DISK)
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
