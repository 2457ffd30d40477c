"""What is asked of the family when it is measured."""

from __future__ import annotations

from collections import Counter

from training.data.held_out import held_out, held_out_couple
from training.evaluation.prompts import couple_wishes, held_out_wishes, wishes
from training.words import things_of


def test_wishes_are_of_what_is_trained_on_or_of_what_is_not() -> None:
    assert not {wish.names for wish in wishes(1000)} & held_out()
    unseen = held_out_wishes(1000)
    counts = Counter(wish.names for wish in unseen)
    assert set(counts) == held_out()
    assert max(counts.values()) - min(counts.values()) <= 1
    assert len({wish.seed for wish in unseen}) == 1000


def test_couples_are_never_shown_together_but_apart() -> None:
    chosen = couple_wishes(200)
    for wish in chosen:
        one, other = things_of(wish.thing)
        assert held_out_couple(one, other)
        assert not {(one, wish.style, wish.colour), (other, wish.style, wish.colour)} & held_out()
    assert len({wish.thing for wish in chosen}) > 100
