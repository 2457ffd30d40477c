from __future__ import annotations

import pytest

from dmd2_demo.weights.embeddings import KeptEmbeddings


def test_what_was_made_is_not_made_again() -> None:
    kept, made = KeptEmbeddings(), list[str]()
    assert kept.of("a", lambda: made.append("a") or "A") == "A"
    assert kept.of("a", lambda: made.append("a") or "other") == "A"
    assert made == ["a"]


def test_the_longest_unused_goes_first() -> None:
    kept, made = KeptEmbeddings(most=2), list[str]()

    def ask(word: str) -> None:
        kept.of(word, lambda: made.append(word))

    for word in ("a", "b", "a", "c", "a", "b"):
        ask(word)
    assert made == ["a", "b", "c", "b"]


def test_a_failure_is_not_kept() -> None:
    kept = KeptEmbeddings()
    failures = iter([ZeroDivisionError()])

    def make() -> str:
        for failure in failures:
            raise failure
        return "made"

    with pytest.raises(ZeroDivisionError):
        kept.of("a", make)
    assert kept.of("a", make) == "made"
