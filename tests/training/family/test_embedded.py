"""The family as it is shipped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.family import export
from training.folders import FAMILY

FILES = [path for path in FAMILY.rglob("*") if path.is_file()]
LIMIT = 10_000_000


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FAMILY)))
def test_every_file_is_under_ten_megabytes(path: Path) -> None:
    assert path.stat().st_size < LIMIT


def test_all_of_it_is_under_sixty_megabytes() -> None:
    assert sum(path.stat().st_size for path in FILES) <= 6 * LIMIT


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.suffix == ".json"], ids=lambda path: str(path.relative_to(FAMILY))
)
def test_no_config_tells_where_it_was_made(path: Path) -> None:
    told = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(told, list) or not export.ORIGIN & set(told)
