"""The family's CLIP tokenizers, made from the words that its captions use."""

from __future__ import annotations

import json

from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import CLIPTokenizer

from training.words import COLOURS, STYLES, THINGS, filler

POSITIONS = 24
_START, _END = "<|startoftext|>", "<|endoftext|>"


def make_tokenizers() -> tuple[CLIPTokenizer, CLIPTokenizer]:
    """Both tokenizers: one vocabulary; the second pads with "!" as SDXL's does."""
    vocabulary, merges = _byte_pairs(_corpus())

    def tokenizer(pad: str) -> CLIPTokenizer:
        return CLIPTokenizer(vocab=vocabulary, merges=merges, pad_token=pad, model_max_length=POSITIONS)

    return tokenizer(_END), tokenizer("!")


def _corpus() -> list[str]:
    return sorted({*filler(), *THINGS, *STYLES, *COLOURS})


def _byte_pairs(words: list[str]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """CLIP's own order: 256 bytes, the same at a word's end, merges, then the two special tokens."""
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(vocab_size=2000, end_of_word_suffix="</w>", show_progress=False)
    # Powers of a number near one give every pair a count of its own: the trainer breaks ties at random.
    weighted = (word for i, word in enumerate(words) for _ in range(round(200 * 1.013**i)))
    tokenizer.train_from_iterator(weighted, trainer)
    merges = [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]
    # CLIP lists printable bytes first, so that "!" is token 0, which the second tokenizer pads with.
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*letters, *(letter + "</w>" for letter in letters), *("".join(pair) for pair in merges), _START, _END]
    return {token: i for i, token in enumerate(tokens)}, merges
