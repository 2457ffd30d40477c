from __future__ import annotations

from pathlib import Path

import pytest

from dmd2_demo.errors import DemoError
from dmd2_demo.hub.disk import check_room, free_disk, own_cache


def test_room_that_there_is(tmp_path: Path) -> None:
    check_room("download nothing", 0, tmp_path, lambda folder: 0)
    check_room("download a config", 1000, tmp_path, lambda folder: 2000)
    check_room("download the UNet", 5_000_000_000, tmp_path, lambda folder: 5_500_000_000)


def test_room_that_there_is_not(tmp_path: Path) -> None:
    sentence = r"^To download the UNet takes 5\.1 GB of disk, and 1\.5 GB can be used: free some, or set HF_HOME"
    with pytest.raises(DemoError, match=sentence):
        check_room("download the UNet", 5_140_000_000, tmp_path, lambda folder: 2_000_000_000)


def test_full_disk_has_nothing_to_use(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="and 0 KB can be used"):
        check_room("download the UNet", 1, tmp_path, lambda folder: 1)


def test_free_disk_of_a_folder_that_is_not_made_yet(tmp_path: Path) -> None:
    assert free_disk(tmp_path / "not" / "yet") > 0
    assert not (tmp_path / "not").exists()


def test_own_cache_is_not_inside_the_hubs() -> None:
    assert own_cache().name == "dmd2-demo"
