"""What the decoders are trained by."""

from __future__ import annotations

import torch

from training.stages.picture_loss import pixel_error, unevenness

GREY = torch.zeros(1, 3, 1, 1)


def test_mottle_counts_and_a_thing_does_not() -> None:
    plain = torch.zeros(1, 3, 8, 8)
    thing, mottled = plain.clone(), plain.clone()
    thing[..., 2:6, 2:6] = 0.9
    mottled[..., ::2] = 0.05
    assert unevenness(plain, GREY) == 0
    assert unevenness(thing, GREY) == 0
    assert unevenness(mottled, GREY) > 0


def test_a_blurred_edge_is_worse_than_a_shade() -> None:
    wanted = torch.zeros(1, 3, 8, 8)
    wanted[..., 4:] = 1
    blurred = wanted.clone()
    blurred[..., 3:5] = 0.5
    shade = wanted + (blurred - wanted).abs().mean()
    assert pixel_error(wanted, wanted) == 0
    assert pixel_error(blurred, wanted) > pixel_error(shade, wanted)
