from __future__ import annotations

import pytest
from PIL import Image

from dmd2_demo.page.last_live import LastLive
from tests.embedded import canny, text


def test_each_session_has_its_own_last_one() -> None:
    last = LastLive()
    for seed, session in enumerate(["one", "other", "one", ""]):
        last.keep(session, text(seed=seed))
    assert [last.of(session) for session in ("one", "other", "third", "")] == [text(seed=2), text(seed=1), None, None]


def test_it_is_forgotten_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    last = LastLive(seconds=600)
    last.keep("one", text())
    now = 599.0
    assert last.of("one")
    now = 601.0
    assert last.of("one") is None


def test_the_oldest_go_where_their_pictures_are_too_large_together() -> None:
    last = LastLive(most_bytes=3 * 4 * 100 * 100)
    for session in "abcd":
        last.keep(session, canny(Image.new("RGB", (100, 100))))
    assert [session for session in "abcd" if last.of(session)] == ["b", "c", "d"]
    last.keep("e", canny(Image.new("RGB", (300, 300))))
    assert [session for session in "abcde" if last.of(session)] == ["e"]
