"""DMD2's GAN term."""

from __future__ import annotations

import torch

from training.diffusion.adversary import Adversary, telling_error
from training.diffusion.matching import Matching
from training.diffusion.noise import Noise
from training.diffusion.sampling import ONE_STEP
from training.networks.text import Condition
from training.networks.text_encoders import WIDTHS
from training.networks.unet import make_unet

CPU = torch.device("cpu")


def condition(count: int) -> Condition:
    return Condition(torch.randn(count, 4, sum(WIDTHS)), torch.randn(count, WIDTHS[1]), torch.full((count, 6), 128.0))


def test_art_should_score_high_and_the_generated_low() -> None:
    right = telling_error(torch.tensor([-4.0, -4.0, 4.0, 4.0]), generated=2)
    wrong = telling_error(torch.tensor([4.0, 4.0, -4.0, -4.0]), generated=2)
    assert right < 0.1 < wrong


def test_its_gradient_has_a_size_of_one_and_leaves_the_fake_net_alone() -> None:
    torch.manual_seed(0)
    fake = make_unet()
    adversary = Adversary(fake)
    times = torch.tensor([100, 600])
    gradient = adversary.likeness_gradient(fake, Noise(CPU), torch.randn(2, 4, 16, 16), times, condition(2))
    torch.testing.assert_close(gradient.abs().mean(), torch.tensor(1.0))
    assert all(parameter.grad is None for parameter in [*fake.parameters(), *adversary.parameters()])


def test_a_round_teaches_head_fake_net_and_generator() -> None:
    torch.manual_seed(0)
    generator, teacher, fake = make_unet(), make_unet(), make_unet()
    teacher.requires_grad_(False)
    for unet in (generator, teacher, fake):
        torch.nn.init.normal_(unet.conv_out.weight, std=0.05)
    adversary = Adversary(fake)
    nets = (generator, fake, adversary)
    before = [next(net.parameters()).clone() for net in nets]
    optimizers = (
        torch.optim.SGD(generator.parameters(), lr=0.1),
        torch.optim.SGD([*fake.parameters(), *adversary.parameters()], lr=0.1),
    )
    matching = Matching(generator, teacher, fake, Noise(CPU), *optimizers, adversary, realism=0.5)
    matching.round(condition(2), torch.randn(2, 4, 16, 16), ONE_STEP, 1, generate_too=True)
    assert all((next(net.parameters()) != old).any() for net, old in zip(nets, before, strict=True))
