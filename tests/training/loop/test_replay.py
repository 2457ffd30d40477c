"""Batches that serve more than once."""

from __future__ import annotations

from itertools import count

from training.loop.replay import Replay


def test_each_batch_is_new_once_and_serves_again_while_it_is_kept() -> None:
    replay = Replay(count().__next__, serves=4, kept=3)
    taken = [replay.next() for _ in range(400)]
    assert taken[::4] == list(range(100))
    for i, batch in enumerate(taken):
        assert i // 4 - 3 < batch <= i // 4
    # Old ones do serve again.
    assert any(batch < i // 4 for i, batch in enumerate(taken))
