"""What is asked of the family when it is measured."""

from __future__ import annotations

from collections import Counter

from training.data.held_out import held_out
from training.evaluation.prompts import held_out_wishes, wishes


def test_wishes_are_of_what_is_trained_on_or_of_what_is_not() -> None:
    assert not {wish.names for wish in wishes(1000)} & held_out()
    unseen = held_out_wishes(1000)
    counts = Counter(wish.names for wish in unseen)
    assert set(counts) == held_out()
    assert max(counts.values()) - min(counts.values()) <= 1
    assert len({wish.seed for wish in unseen}) == 1000
