from __future__ import annotations

import subprocess
import sys

import pytest
from transformers import CLIPTokenizer

from dmd2_demo.generate.prompt.counting import TokenCounter
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.family import Family

FAMILY = pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
TEXTS = [
    "a penguin on a pink background, fluent style",
    "It's 42 o'clock: don't   PANIC!\n\t(really)",
    "Éclair, naïve, ﬁ, 語, 🦊🏳️‍🌈, \u0301x",
    "<|startoftext|>a<|endoftext|> <|pad|>",
    "supercalifragilisticexpialidocious antidisestablishmentarianism",
    "",
]


@FAMILY
@pytest.mark.parametrize("text", TEXTS)
def test_it_counts_as_transformers_does(family: Family, text: str) -> None:
    theirs = CLIPTokenizer.from_pretrained(family.tokenizer, local_files_only=True)
    counter = TokenCounter(family.tokenizer)
    assert counter.size == theirs.model_max_length - 2
    [ours] = counter._tokenize([text])
    assert [number for number, _ in ours] == theirs(text, add_special_tokens=False).input_ids


@pytest.mark.parametrize(
    ("prompts", "plain", "told"),
    [
        (["a cat"], False, "2 of 22 tokens"),
        (["(a:1.2) [cat]"], False, "2 of 22 tokens"),
        (["(a) cat"], True, "4 of 22 tokens"),
        (["a cat", "a cat on blue"], False, "4 of 22 tokens"),
        (["a " * 22], False, "22 of 22 tokens"),
        (["a " * 23], False, "23 of 44 tokens, in 2 chunks"),
        (["a " * 23], True, "23 of 22 tokens, the last 1 are cut off"),
        (["a BREAK cat"], False, "2 of 44 tokens, in 2 chunks"),
        (["a " * 705], False, "705 of 704 tokens, in 32 chunks; the last 1 are cut off"),
    ],
)
def test_what_is_said(prompts: list[str], plain: bool, told: str) -> None:
    assert TokenCounter(FAMILIES["embedded"].tokenizer).sentence(tuple(prompts), plain=plain) == told


def test_sdxl_is_counted_before_anything_is_downloaded() -> None:
    assert TokenCounter(FAMILIES["sdxl"].tokenizer).sentence(("a photo of a cat",), plain=False) == "5 of 75 tokens"


def test_counting_needs_no_torch() -> None:
    code = (
        "import sys; from dmd2_demo.generate.prompt.counting import TokenCounter; "
        "from dmd2_demo.models.catalogue import FAMILIES; "
        "print(TokenCounter(FAMILIES['sdxl'].tokenizer).sentence(('a',), plain=False)); "
        "print({'torch', 'transformers'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == ["1 of 75 tokens", "set()"]
