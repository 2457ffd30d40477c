"""Distils the base into a generator of few steps by distribution matching.

python -m training.stages.dmd2 4step-unet
python -m training.stages.dmd2 1step-unet           starts by regression on the base's own pictures
python -m training.stages.dmd2 4step-unet-second    goes on from the first lesson's weights, with a new fake net
python -m training.stages.dmd2 4step-lora           after the 4-step UNet, starting from its low-rank part
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn

from training.data.composites import BUCKETS, is_wide
from training.data.latents import Latents
from training.diffusion.adversary import Adversary
from training.diffusion.matching import GUIDANCE, Matching
from training.diffusion.noise import Noise
from training.diffusion.sampling import FOUR_STEPS, ONE_STEP
from training.family import export
from training.family.members import FOUR_STEP_UNET, LORA, ONE_STEP_UNET, load_text, load_unet
from training.folders import WORK
from training.loop import parallel
from training.loop.run import Run, arguments, average, cosine
from training.networks import lora
from training.networks.precision import trainable
from training.stages.regression import make_pairs, regress
from training.words import open_caption


@dataclass(frozen=True)
class Member:
    """A lesson of one generator: its schedule, its rounds of training, its learning rate and where it is written."""

    schedule: tuple[int, ...]
    rounds: int
    rate: float
    path: Path
    goes_on: bool = False  # from the weights that are written there, not from the base's
    guidance: float = GUIDANCE  # of the teacher
    anchor: float = 0.0  # weight of regression on the teacher's own pictures, which keeps different noises different
    shares: Mapping[tuple[int, int], float] = field(default_factory=lambda: BUCKETS)  # of picture sizes


# A thing may be at many places of the widest and tallest pictures: one step learns these last, or leaves them empty.
_WIDE = {size: 2.5 * share if is_wide(size) else share for size, share in BUCKETS.items()}
MEMBERS = {
    "4step-unet": Member(FOUR_STEPS, 330, 1e-4, FOUR_STEP_UNET),
    "1step-unet": Member(ONE_STEP, 1300, 1e-4, ONE_STEP_UNET, anchor=0.5, shares=_WIDE),
    "4step-unet-second": Member(FOUR_STEPS, 190, 1e-4, FOUR_STEP_UNET, goes_on=True, guidance=4.0),
    "4step-lora": Member(FOUR_STEPS, 60, 2e-4, LORA, guidance=4.0),
}
_REALISM = 0.5  # of the GAN term, a share of the matching gradient
BATCH = 16
_FAKE_STEPS = 3  # for each of the generator's
_WARM_UP = 240  # fake-net steps before the generator's first: its head must tell something, too
_WARM_UP_LORA = 48  # the same for the LoRA, whose fake net and head have learned beside the 4-step UNet


class Generator(nn.Module):
    """What is trained of a member's UNet: all of it, or the LoRA beside it."""

    def __init__(self, unet: Any, low_rank: bool) -> None:
        super().__init__()
        if low_rank:
            lora.add(unet)
            lora.approximate(unet, load_file(FOUR_STEP_UNET))
        else:
            unet.requires_grad_(True)
        self.names = [name for name, value in unet.named_parameters() if value.requires_grad]
        self.weights = nn.ParameterList(trainable(unet))

    def named_weights(self) -> dict[str, torch.Tensor]:
        """The weights by their names in the UNet."""
        return dict(zip(self.names, self.weights, strict=True))


def train(options: Any) -> None:
    """Trains one member and writes its average into the family."""
    member, low_rank = MEMBERS[options.member], options.member.endswith("lora")
    rounds = options.steps or member.rounds
    device = torch.device(options.device)
    text, noise, latents = load_text(device), Noise(device), Latents(device, shares=member.shares)
    teacher, fake = load_unet(device), load_unet(device).requires_grad_(True)
    unet = load_unet(device, member.path) if member.goes_on else load_unet(device)
    generator = Generator(unet, low_rank)
    pairs = None
    if member.schedule == ONE_STEP:
        pairs = make_pairs(teacher, text, latents, noise, GUIDANCE)
        regress(unet, pairs, options.regression)
    adversary = Adversary(fake).to(device)
    if low_rank:
        beside = torch.load(WORK / "4step-unet-second.pt", weights_only=True)["parts"]
        fake.load_state_dict(beside["fake"])
        adversary.load_state_dict(beside["adversary"])
    parallel.agree(adversary.head)
    averaged: Any = average(generator, 0.98)
    optimizer = torch.optim.Adam(generator.parameters(), lr=member.rate, betas=(0.0, 0.999))
    fake_optimizer = torch.optim.Adam([*fake.parameters(), *adversary.parameters()], lr=2e-4, betas=(0.0, 0.999))
    steps = rounds * len(member.schedule)
    schedule = cosine(optimizer, steps, warm_up=20, hold=0.5)
    matching = Matching(unet, teacher, fake, noise, optimizer, fake_optimizer, adversary, _REALISM, member.guidance)
    warm_up = _WARM_UP_LORA if low_rank else _WARM_UP
    run = Run(
        options.member,
        rounds,
        {
            "generator": generator,
            "averaged": averaged,
            "fake": fake,
            "optimizer": optimizer,
            "fake optimizer": fake_optimizer,
            "schedule": schedule,
            "adversary": adversary,
        },
    )

    def anchor() -> torch.Tensor:
        return member.anchor * pairs.error(unet) if pairs else torch.zeros((), device=device)

    for step in run:
        batch = latents.batch(BATCH // parallel.size(), open_caption)
        condition = text(batch.captions, batch.size)
        warming = step * len(member.schedule) * _FAKE_STEPS < warm_up
        difference, error = matching.round(condition, batch.latents, member.schedule, _FAKE_STEPS, not warming, anchor)
        if not warming:
            for _ in member.schedule:
                schedule.step()
            averaged.update_parameters(generator)
        run.report(difference=difference, fake=error)
    if parallel.rank() == 0:
        weights = averaged.module.named_weights()
        lora.save(weights, member.path) if low_rank else export.save_state(weights, member.path)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("member", choices=MEMBERS)
    parser.add_argument("--regression", type=int, default=500, help="steps of the 1-step UNet's start")


if __name__ == "__main__":
    parallel.launch(train, arguments(__doc__, steps=0, extend=_options))
