"""Latents as generators leave them."""

from __future__ import annotations

import torch

from training.data.corruption import noised


def test_some_noise_is_smooth_and_none_is_large() -> None:
    torch.manual_seed(0)
    noise = noised(torch.zeros(400, 4, 16, 16))
    spreads = noise.std((1, 2, 3))
    assert spreads.min() < 0.05
    assert 0.3 < spreads.max() < 0.42
    smooth = (noise[:, :, ::2, ::2] == noise[:, :, 1::2, 1::2]).all((1, 2, 3))
    assert 0.4 < smooth.float().mean() < 0.6
    # As much noise either way.
    assert abs(spreads[smooth].mean() - spreads[~smooth].mean()) < 0.04
