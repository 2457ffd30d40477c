"""What no stage trains on."""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
import torch

from training.data.composites import BUCKETS
from training.data.held_out import held_out, held_out_couple, is_held_out
from training.data.latents import Latents
from training.words import COLOURS, STYLES, THINGS, couple, things_of

CPU = torch.device("cpu")


def test_at_least_a_twentieth_of_all_is_held_out_and_no_word() -> None:
    assert len(held_out()) >= len(THINGS) * len(STYLES) * len(COLOURS) / 20
    for place, words in enumerate((THINGS, STYLES, COLOURS)):
        left_out = Counter(names[place] for names in held_out())
        # Each word still stands in most of its combinations.
        assert set(left_out) == set(words)
        assert max(left_out.values()) < len(THINGS) * len(STYLES) * len(COLOURS) / len(words) / 4


def test_a_couple_is_held_out_whichever_comes_first_or_with_one_of_its_things() -> None:
    pairs = list(combinations(THINGS, 2))
    left_out = [pair for pair in pairs if held_out_couple(*pair)]
    assert 0.04 < len(left_out) / len(pairs) < 0.06
    assert all(held_out_couple(*reversed(pair)) for pair in left_out)
    thing, style, colour = min(held_out())
    other = next(one for one in THINGS if one != thing and not held_out_couple(one, thing))
    assert is_held_out((couple(other, thing), style, colour))
    assert is_held_out((couple(*left_out[0]), "noto", "red"))


@pytest.mark.parametrize("together", [0.0, 0.5])
def test_batches_leave_it_out_and_tell_which_pictures_they_are(tmp_path: Path, together: float) -> None:
    rng = random.Random(0)
    names = [(thing, style, colour) for thing in THINGS for style in STYLES for colour in COLOURS]
    names += [(couple(*rng.sample(list(THINGS), 2)), style, colour) for _, style, colour in names]
    latents = torch.arange(len(names)).float()[:, None, None, None].expand(-1, 4, 1, 1)
    torch.save(dict.fromkeys(BUCKETS, (latents, names)), tmp_path / "latents.pt")
    batch = Latents(CPU, folder=tmp_path, together=together).batch(2000, lambda _, *names: " ".join(names))
    assert batch.latents[:, 0, 0, 0].tolist() == batch.indices.tolist()
    drawn = [names[i] for i in batch.indices.tolist()]
    assert batch.captions == [" ".join(one) for one in drawn]
    assert not any(is_held_out(one) for one in drawn)
    assert len(set(drawn)) > 1000
    assert abs(sum(len(things_of(one[0])) == 2 for one in drawn) / len(drawn) - together) < 0.05
