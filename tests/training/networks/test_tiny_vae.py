"""Where the tiny decoder starts."""

from __future__ import annotations

import torch
from torch.nn import functional

from training.networks.tiny_vae import make_tiny_vae, start_linear


def test_it_starts_at_the_colours_that_latents_tell() -> None:
    torch.manual_seed(0)
    latents = functional.interpolate(torch.randn(8, 4, 3, 4), scale_factor=4.0, mode="bilinear")
    told = torch.einsum("oc,nchw->nohw", torch.randn(3, 4) / 2, torch.tanh(latents / 3)) + 0.1
    pixels = functional.interpolate(told, scale_factor=8.0)
    tiny = make_tiny_vae()
    with torch.no_grad():
        before = functional.mse_loss(tiny.decode(latents).sample, pixels)
        start_linear(tiny, latents[:6], pixels[:6])
        drawn = tiny.decode(latents).sample
    assert drawn.shape == pixels.shape
    # What it misses is how colours go over into each other, and the random part that breaks symmetry.
    assert functional.mse_loss(drawn, pixels) < 0.15 * told.var()
    assert before > told.var()
