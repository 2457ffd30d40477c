"""What no stage trains on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import torch

from training.data.composites import BUCKETS
from training.data.held_out import held_out
from training.data.latents import Latents
from training.words import COLOURS, STYLES, THINGS

CPU = torch.device("cpu")


def test_at_least_a_twentieth_of_all_is_held_out_and_no_word() -> None:
    assert len(held_out()) >= len(THINGS) * len(STYLES) * len(COLOURS) / 20
    for place, words in enumerate((THINGS, STYLES, COLOURS)):
        left_out = Counter(names[place] for names in held_out())
        # Each word still stands in most of its combinations.
        assert set(left_out) == set(words)
        assert max(left_out.values()) < len(THINGS) * len(STYLES) * len(COLOURS) / len(words) / 4


def test_batches_leave_it_out_and_tell_which_composites_they_are(tmp_path: Path) -> None:
    labels = [(thing, style, colour) for thing in THINGS for style in STYLES for colour in COLOURS]
    latents = torch.arange(len(labels)).half()[:, None, None, None].expand(-1, 4, 1, 1)
    torch.save(dict.fromkeys(BUCKETS, (latents, labels)), tmp_path / "latents-anywhere.pt")
    batch = Latents(CPU, folder=tmp_path).batch(2000, lambda _, *names: " ".join(names))
    assert batch.latents[:, 0, 0, 0].tolist() == batch.indices.tolist()
    drawn = [labels[i] for i in batch.indices.tolist()]
    assert batch.captions == [" ".join(names) for names in drawn]
    assert not held_out() & set(drawn)
    assert len(set(drawn)) > 1000
