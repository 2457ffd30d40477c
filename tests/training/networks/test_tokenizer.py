"""The tokenizers, made anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.family.members import BASE
from training.networks.tokenizer import make_tokenizers


@pytest.mark.parametrize(("number", "shipped"), [(0, "tokenizer"), (1, "tokenizer_2")])
def test_they_are_those_that_the_base_was_trained_with(tmp_path: Path, number: int, shipped: str) -> None:
    make_tokenizers()[number].save_pretrained(tmp_path)
    made, kept = (json.loads((folder / "tokenizer.json").read_text()) for folder in (tmp_path, BASE / shipped))
    assert made["model"] == kept["model"]
