"""Trains the decoder on, on latents as generators leave them. Encoder and latents stay, so every UNet stays.

python -m training.stages.decoder plain --processes 2    plain backgrounds come out plain
python -m training.stages.decoder sharp --processes 2    goes on from there, by what a discriminator finds as well

A step takes a batch from each process.
"""

from __future__ import annotations

import argparse
from typing import Any

import torch
from torch.nn import functional

from training.data.decodable import Decodables
from training.family import export
from training.family.members import load_vae
from training.folders import FIRST_VAE, PLAIN_VAE
from training.loop import parallel
from training.loop.replay import Replay
from training.loop.run import Run, arguments, average, cosine
from training.networks.discriminator import Discriminator
from training.networks.precision import autocast, trainable
from training.stages.picture_loss import BACKGROUND, pixel_error, unevenness

STEPS = {"plain": 1500, "sharp": 600}
_FEATURES = 0.5  # weight of the discriminator's features
_ADVERSARIAL = 0.3  # of the pixels' gradient, at the last convolution


class PatchAdversary:
    """A discriminator that learns beside the decoder, and what it says of the decoder's pictures."""

    def __init__(self, device: torch.device) -> None:
        self.net = Discriminator().to(device)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=4e-4, betas=(0.5, 0.9))

    def learn(self, drawn: torch.Tensor, art: torch.Tensor) -> None:
        """One step of telling `art` from `drawn`: hinge loss."""
        self.net.requires_grad_(True)
        _, real = self.net(art)
        _, fake = self.net(drawn.detach())
        loss = functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()
        parallel.descend(self.optimizer, loss, list(self.net.parameters()))
        self.net.requires_grad_(False)

    def error(
        self, drawn: torch.Tensor, wanted: torch.Tensor, pixels: torch.Tensor, last: torch.Tensor
    ) -> torch.Tensor:
        """How far the first of `drawn` are from `wanted` in features, and how little all of them look like art.

        The second counts a set share of the error `pixels`, by their gradients at the weight `last`.
        """
        features, logits = self.net(drawn)
        with torch.no_grad():
            aims, _ = self.net(wanted)
        matching = sum(
            ((found[: len(aim)] - aim).abs().mean() for found, aim in zip(features, aims, strict=True)),
            start=drawn.new_zeros(()),
        )
        likeness = -logits.mean()
        wide, narrow = (torch.autograd.grad(one, last, retain_graph=True)[0].norm() for one in (pixels, likeness))
        return _FEATURES * matching + _ADVERSARIAL * (wide / (narrow + 1e-4)).clamp(max=10) * likeness


def train(options: Any) -> None:
    """Trains the decoder; writes its average, with the encoder as it was, for the next lesson or into the family."""
    device, sharp = torch.device(options.device), options.lesson == "sharp"
    steps = options.steps or STEPS[options.lesson]
    start = PLAIN_VAE if sharp else FIRST_VAE
    encoder, vae = load_vae(device, start), load_vae(device, start)
    for part in (vae.decoder, vae.post_quant_conv):
        # oneDNN's bfloat16 convolutions are quicker with the channels last.
        part.to(memory_format=torch.channels_last).requires_grad_(True)
    batches, adversary = Replay(Decodables(encoder, device).batch), PatchAdversary(device)
    for net in (vae, adversary.net):
        parallel.agree(net)
    averaged = average(vae, 0.995)
    optimizer = torch.optim.AdamW(trainable(vae), lr=5e-4 if sharp else 8e-4, weight_decay=0.0, betas=(0.9, 0.99))
    schedule = cosine(optimizer, steps, warm_up=50, hold=0.3)
    parts = {"vae": vae, "averaged": averaged, "optimizer": optimizer, "schedule": schedule}
    if sharp:
        parts |= {"adversary": adversary.net, "adversary's optimizer": adversary.optimizer}
    run = Run(f"decoder-{options.lesson}", steps, parts)
    for _ in run:
        batch = batches.next()
        wanted = len(batch.pixels)
        with autocast(device):
            drawn = vae.decode(batch.latents).sample.float()
        error = pixel_error(drawn[:wanted], batch.pixels)
        flat = unevenness(drawn[wanted:], batch.colours)
        total = error + BACKGROUND * flat
        if sharp:
            adversary.learn(drawn, batch.pixels)
            total = total + adversary.error(drawn, batch.pixels, error, vae.decoder.conv_out.weight)
        parallel.descend(optimizer, total, trainable(vae))
        schedule.step()
        averaged.update_parameters(vae)
        run.report(loss=float(error.detach()), flat=float(flat.detach()))
    if parallel.rank() == 0:
        export.save_vae(averaged.module) if sharp else export.save(averaged.module, PLAIN_VAE)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", choices=STEPS)


if __name__ == "__main__":
    parallel.launch(train, arguments(__doc__, steps=0, extend=_options))
