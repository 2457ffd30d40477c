from __future__ import annotations

from pathlib import Path

import pytest

from tests.tiny import TinyFamily, write_family


@pytest.fixture(scope="session")
def family(tmp_path_factory: pytest.TempPathFactory) -> TinyFamily:
    """A whole random family on disk; tests read it and don't write to it."""
    return write_family(tmp_path_factory.mktemp("family"))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A hub's cache that is empty at first."""
    return tmp_path / "cache"
