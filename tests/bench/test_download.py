from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench.download import measure


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_every_way_is_measured(tmp_path: Path) -> None:
    taken = measure(2_000_000, rounds=1, folder=tmp_path)
    assert set(taken) == {
        "this demo, checked",
        "huggingface_hub, not checked",
        "curl, not checked",
        "the check alone",
    }
    assert all(seconds > 0 for seconds in taken.values())
    assert list(tmp_path.iterdir()) == []
