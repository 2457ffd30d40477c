"""What is measured of pictures."""

from __future__ import annotations

import torch
from torch.nn import functional

from training.evaluation.picture_measures import background_spread, gradient_deviation, sharpness


def test_the_thing_in_the_middle_is_no_background() -> None:
    pictures = torch.zeros(2, 3, 128, 128)
    pictures[..., 30:98, 30:98] = torch.rand(68, 68)
    assert background_spread(pictures) == 0


def test_the_spread_is_of_colours_from_0_to_1() -> None:
    torch.manual_seed(0)
    spread = background_spread(0.02 * torch.randn(8, 3, 128, 128))
    assert 0.009 < spread < 0.011


def test_a_soft_edge_is_less_sharp() -> None:
    hard = torch.zeros(1, 3, 32, 32)
    hard[..., 16:] = 1
    soft = hard.clone()
    soft[..., 15:17] = 0.5
    assert sharpness(hard) > 1.3 * sharpness(soft)


def test_outlines_deviate_by_softness_and_place_and_by_no_even_colour() -> None:
    art = -torch.ones(2, 3, 64, 64)
    art[..., 20:44, 20:44] = 1
    assert gradient_deviation(art, art) == 0
    assert gradient_deviation(art * 0.99 - 0.005, art) < 0.01
    soft = functional.avg_pool2d(art, 5, 1, 2, count_include_pad=False)
    softer = functional.avg_pool2d(art, 9, 1, 4, count_include_pad=False)
    assert 0.02 < gradient_deviation(soft, art) < gradient_deviation(softer, art)
    assert gradient_deviation(art.roll(4, -1), art) > 0.05
