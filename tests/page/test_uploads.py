"""What is shown opens no file either, and what nobody looks for does not stay."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from gradio.utils import get_upload_folder
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from dmd2_demo.page.uploads import KEPT, Uploads
from dmd2_demo.page.visitors import Visitor
from tests.raw_visitor import RawVisitor, Reply

META = {"_type": "gradio.FileData"}


@pytest.mark.parametrize(
    "posing",
    [
        {"path": "README.md", "meta": META},
        {"path": "https://example.com/x.png", "meta": META},
        {"path": "x", "url": "http://127.0.0.1/x", "meta": META},
        {"path": "README.md", "meta": 1},
        [[{"deep": {"path": "README.md", "meta": META}}]],
    ],
)
def test_no_file_is_opened_because_a_pictures_settings_name_it(address: str, tmp_path: Path, posing: object) -> None:
    told = PngInfo()
    told.add_text("dmd2", json.dumps({"prompt": "a cat", "more": posing}))
    Image.new("RGB", (64, 64)).save(tmp_path / "posing.png", pnginfo=told)
    cached = set(Path(get_upload_folder()).rglob("README.md"))
    with RawVisitor(address) as raw:
        reply = raw.ask("inspect", image=raw.upload(tmp_path / "posing.png"))
    assert reply == Reply(None, "Those settings hold what stands for a file on this page: they are not shown.")
    assert set(Path(get_upload_folder()).rglob("README.md")) == cached


def test_uploads_that_gradio_leaves_where_they_came_are_removed_in_time(tmp_path: Path) -> None:
    old, new, kept = tmp_path / "old", tmp_path / "new", tmp_path / "folder" / "kept"
    kept.parent.mkdir()
    for path in (old, new, kept):
        path.write_bytes(b"x")
    for path in (old, kept):
        os.utime(path, (1e9, 1e9))
    Uploads(tmp_path).sweep()
    assert [path.exists() for path in (old, new, kept)] == [False, True, True]


def test_the_file_of_a_data_url_goes_after_a_day_whether_gradio_knows_of_it_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads, visitor = Uploads(tmp_path), Visitor("192.0.2.1", "somebody")
    file = uploads.admit_picture("data:image/png;base64,AAAA", visitor)
    assert file
    now = time.time()
    for later, is_there in ((KEPT - 60, True), (KEPT + 60, False)):
        monkeypatch.setattr("time.time", lambda later=later: now + later)
        uploads.sweep()
        assert Path(file["path"]).parent.exists() == is_there
