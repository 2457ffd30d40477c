from __future__ import annotations

import pytest
import torch

from dmd2_demo.weights.embeddings import Embeddings, KeptEmbeddings


def embeddings(size: int) -> Embeddings:
    return {"one": torch.zeros(size // 2, dtype=torch.uint8), "two": torch.zeros(size - size // 2, dtype=torch.uint8)}


def test_what_was_made_is_not_made_again() -> None:
    kept, made = KeptEmbeddings(), list[Embeddings]()

    def make() -> Embeddings:
        made.append(embeddings(10))
        return made[-1]

    assert kept.of("a", make) is kept.of("a", make) is made[0]
    assert len(made) == 1


@pytest.mark.parametrize("size", [10, 15])
def test_the_longest_unused_goes_first(size: int) -> None:
    kept, made = KeptEmbeddings(most=30), list[str]()

    def ask(word: str) -> None:
        def make() -> Embeddings:
            made.append(word)
            return embeddings(size)

        kept.of(word, make)

    for word in ("a", "b", "a", "c", "a", "b"):
        ask(word)
    assert made == (["a", "b", "c"] if size == 10 else ["a", "b", "c", "b"])


def test_one_that_is_larger_than_all_may_be_is_used_and_soon_gone() -> None:
    kept = KeptEmbeddings(most=30)
    small = kept.of("small", lambda: embeddings(10))
    assert len(kept.of("large", lambda: embeddings(100))["one"]) == 50
    assert kept.of("small", lambda: embeddings(10)) is not small


def test_a_failure_is_not_kept() -> None:
    kept = KeptEmbeddings()
    failures = iter([ZeroDivisionError()])

    def make() -> Embeddings:
        for failure in failures:
            raise failure
        return embeddings(10)

    with pytest.raises(ZeroDivisionError):
        kept.of("a", make)
    assert kept.of("a", make)
