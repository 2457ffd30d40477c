"""The decoder's second lesson."""

from __future__ import annotations

import torch
from torch import nn

from training.stages.decoder import PatchAdversary
from training.stages.picture_loss import pixel_error

CPU = torch.device("cpu")


def test_it_learns_to_tell_drawn_from_decoded() -> None:
    torch.manual_seed(0)
    adversary = PatchAdversary(CPU)
    hard, soft = torch.rand(4, 3, 32, 32).round() * 2 - 1, torch.rand(4, 3, 32, 32) - 0.5
    for _ in range(60):
        adversary.learn(soft, hard)
    assert adversary.net(hard)[1].mean() > adversary.net(soft)[1].mean() + 0.5


def test_what_it_asks_for_reaches_the_decoder() -> None:
    torch.manual_seed(0)
    adversary, last = PatchAdversary(CPU), nn.Conv2d(4, 3, 3, padding=1)
    wanted = torch.rand(2, 3, 32, 32)
    drawn = last(torch.rand(3, 4, 32, 32))
    pixels = pixel_error(drawn[:2], wanted)
    error = adversary.error(drawn, wanted, pixels, last.weight)
    (gradient,) = torch.autograd.grad(error, last.weight)
    assert gradient.abs().sum() > 0
