"""What the decoder learns from."""

from __future__ import annotations

import random

import pytest
import torch
from PIL import Image

from training.data import decodable
from training.data.art import Art
from training.data.held_out import is_held_out
from training.networks.vae import make_vae
from training.words import STYLES, THINGS, things_of

DISC = Image.new("RGBA", (4, 4), "white")


def test_it_shows_nothing_that_is_held_out_alone_or_beside_another(monkeypatch: pytest.MonkeyPatch) -> None:
    arts = [Art(thing, style, DISC) for style in STYLES for thing in THINGS]
    monkeypatch.setattr(decodable, "load_art", lambda _: arts)
    source, rng = decodable.Decodables(make_vae(), torch.device("cpu")), random.Random(0)
    names = [source.composite(rng, (16, 16)).names for _ in range(3000)]
    assert not any(is_held_out(one) for one in names)
    assert len(set(names)) > 1500
    assert 0.1 < sum(len(things_of(one[0])) == 2 for one in names) / len(names) < 0.2
