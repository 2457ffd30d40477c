from __future__ import annotations

import json
from pathlib import Path

import pytest

from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.family import Family
from dmd2_demo.models.vocabulary import Vocabulary


@pytest.fixture
def vocabulary(tmp_path: Path) -> Vocabulary:
    words = {"things": ["fox"], "styles": ["noto"], "colours": ["blue"], "templates": ["a", "on", "background"]}
    path = tmp_path / "words.json"
    path.write_text(json.dumps(words))
    return Vocabulary(path)


@pytest.mark.parametrize("prompt", ["a fox on a blue background, noto", "FOX", "fox-fox; Blue_background!", "🦊"])
def test_known_words_pass_in_any_case_and_punctuation(vocabulary: Vocabulary, prompt: str) -> None:
    assert vocabulary.notice(prompt) is None


def test_unknown_words_are_told_once_each_in_order(vocabulary: Vocabulary) -> None:
    assert vocabulary.unknown("a red fox and a red Éclair") == ["red", "and", "éclair"]
    assert vocabulary.notice("a red fox") == "This small family doesn't know: red."


def test_notice_of_many_or_endless_words_stays_short(vocabulary: Vocabulary) -> None:
    many = vocabulary.notice(" ".join(f"w{i}" for i in range(50)))
    assert many == "This small family doesn't know: w0, w1, w2, w3, w4, w5, w6, w7 and more."
    endless = vocabulary.notice("x" * 10_000)
    assert endless
    assert len(endless) < 250


@pytest.mark.parametrize("family", [family for family in FAMILIES.values() if family.words], ids=lambda f: f.name)
def test_every_example_is_made_of_words_that_its_family_knows(family: Family) -> None:
    assert family.words
    vocabulary = Vocabulary(family.words)
    for example in (*family.examples, *family.lora_examples, *family.canny_examples):
        assert vocabulary.unknown(example.prompt) == []
