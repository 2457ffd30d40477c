"""A prompt's tokens in chunks that a text encoder reads one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dmd2_demo.generate.prompt.weights import Section

SPECIAL = 2  # places of a chunk that its start and its end take
WORD_END = "</w>"  # of a token, where a word ends with it

MOST_CHUNKS = 32
"""About as many as the longest prompt that is taken has words for. Every chunk costs each step more work."""


@dataclass(frozen=True)
class Token:
    """A token, how much it counts, and whether a word ends with it."""

    id: int
    weight: float
    ends_word: bool


Tokenize = Callable[[list[str]], list[list[tuple[int, bool]]]]
"""Of each text the tokens' ids, each with whether a word ends with it."""

Chunk = tuple[Token, ...]


@dataclass(frozen=True)
class Chunked:
    """The chunks of a prompt, at least one, and the tokens that are in none because there are too many."""

    chunks: tuple[Chunk, ...]
    left_out: Chunk = ()

    @property
    def tokens(self) -> int:
        """How many the prompt has."""
        return sum(map(len, self.chunks)) + len(self.left_out)

    @property
    def in_one(self) -> bool:
        """Whether one chunk holds all of it."""
        return len(self.chunks) == 1 and not self.left_out


def chunked(sections: Sequence[Section], tokenize: Tokenize, size: int, most: int = MOST_CHUNKS) -> Chunked:
    """The prompt of those sections, each of which begins a chunk, in chunks of at most `size` tokens.

    No word is cut in two, unless it fills a chunk. Each piece of text is tokenized by itself, as WebUI does.
    """
    assert size > 0
    encoded = iter(tokenize([piece.text for section in sections for piece in section]))
    chunks: list[Chunk] = []
    for section in sections:
        tokens = [Token(number, piece.weight, ends) for piece in section for number, ends in next(encoded)]
        chunks.extend(_cut(tokens, size))
    return Chunked(tuple(chunks[:most]) or ((),), tuple(token for chunk in chunks[most:] for token in chunk))


def _cut(tokens: Sequence[Token], size: int) -> Iterator[Chunk]:
    start = 0
    while start < len(tokens):
        end = start + size
        if end < len(tokens):
            end = next((cut for cut in range(end, start, -1) if tokens[cut - 1].ends_word), end)
        yield tuple(tokens[start:end])
        start = end
