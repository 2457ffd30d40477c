from __future__ import annotations

import pytest

from dmd2_demo.progress import in_bytes


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 KB"),
        (1, "1 KB"),
        (12_400, "12 KB"),
        (1_200_000, "1.2 MB"),
        (394_000_000, "394 MB"),
        (5_140_000_000, "5.1 GB"),
        (12_600_000_000, "13 GB"),
    ],
)
def test_bytes_read_as_people_say_them(count: int, text: str) -> None:
    assert in_bytes(count) == text
