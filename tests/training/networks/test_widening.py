"""A larger decoder over the same latents."""

from __future__ import annotations

import torch

from training.networks.vae import make_vae
from training.networks.widening import WIDEST, widened


def test_the_encoder_computes_what_it_did() -> None:
    torch.manual_seed(0)
    vae = make_vae().half().float()
    wide = widened(vae).half().float()
    assert wide.config["block_out_channels"][0] == WIDEST
    pixels = torch.rand(2, 3, 64, 96) * 2 - 1
    with torch.no_grad():
        before, after = (one.encode(pixels).latent_dist.parameters for one in (vae, wide))
    torch.testing.assert_close(after, before, atol=1e-3, rtol=1e-4)


def test_the_decoder_starts_near_its_own() -> None:
    torch.manual_seed(0)
    vae = make_vae()
    wide = widened(vae)
    latents = torch.randn(1, 4, 8, 8)
    with torch.no_grad():
        before, after = (one.decode(latents).sample for one in (vae, wide))
    assert 0 < (after - before).abs().mean() < 0.1 * before.std()


def test_equal_channels_learn_to_differ() -> None:
    torch.manual_seed(0)
    wide = widened(make_vae())
    wide.decode(torch.randn(1, 4, 8, 8)).sample.square().mean().backward()
    weight = wide.decoder.conv_out.weight
    assert weight.grad is not None
    old = make_vae().config["block_out_channels"][0]
    assert (weight.grad[:, :old] - weight.grad[:, old : 2 * old]).abs().max() > 0
