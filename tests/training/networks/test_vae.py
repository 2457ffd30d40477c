"""The VAE that all members share."""

from __future__ import annotations

import torch

from training.networks.vae import make_vae, reconstructed, standardise


def test_standardised_latents_have_zero_mean_and_unit_spread_and_give_the_same_pictures() -> None:
    torch.manual_seed(0)
    vae, pixels = make_vae().eval(), torch.rand(40, 3, 32, 32) * 2 - 1
    before = reconstructed(vae, pixels)
    standardise(vae, pixels)
    with torch.no_grad():
        latents = vae.encode(pixels).latent_dist.mode()
    assert latents.mean((0, 2, 3)).abs().max() < 1e-3
    assert (latents.std((0, 2, 3)) - 1).abs().max() < 1e-3
    assert (reconstructed(vae, pixels) - before).abs().max() < 1e-3
