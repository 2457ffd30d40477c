from __future__ import annotations

import pytest

from dmd2_demo.generate.prompt.chunks import MOST_CHUNKS, Chunked, chunked
from dmd2_demo.generate.prompt.weights import read


def letters(texts: list[str]) -> list[list[tuple[int, bool]]]:
    """Every letter is a token, and a word ends before a space or at the end."""
    return [[(ord(word[i]), i == len(word) - 1) for word in text.split() for i in range(len(word))] for text in texts]


def shown(found: Chunked) -> list[str]:
    return ["".join(chr(token.id) for token in chunk) for chunk in found.chunks]


@pytest.mark.parametrize(
    ("prompt", "chunks"),
    [
        ("ab cde", ["abcde"]),
        ("ab cdef", ["ab", "cdef"]),
        ("abcdefg hi", ["abcde", "fghi"]),
        ("abcde fgh", ["abcde", "fgh"]),
        ("a b c d e f", ["abcde", "f"]),
        ("a BREAK b", ["a", "b"]),
        ("abcdef BREAK gh", ["abcde", "f", "gh"]),
        ("", [""]),
        ("BREAK", [""]),
    ],
)
def test_words_stay_whole_where_they_can(prompt: str, chunks: list[str]) -> None:
    assert shown(chunked(read(prompt), letters, 5)) == chunks


def test_each_token_has_the_weight_of_its_piece() -> None:
    [chunk] = chunked(read("a (bc:1.2) d"), letters, 5).chunks
    assert [token.weight for token in chunk] == [1, 1.2, 1.2, 1]


@pytest.mark.parametrize("prompt", ["ab " * 200, "a BREAK " * 100])
def test_chunks_are_bounded_and_what_is_left_out_is_known(prompt: str) -> None:
    found = chunked(read(prompt), letters, 4)
    assert len(found.chunks) == MOST_CHUNKS
    assert found.tokens == prompt.count("a") + prompt.count("b")
    assert found.left_out
