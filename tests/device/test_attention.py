from __future__ import annotations

import pytest
import torch

from dmd2_demo.device.attention import Attention, choose, xformers_trouble
from tests.tiny import make_unet, make_vae

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    ("wanted", "trouble", "kernel"),
    [
        ("auto", None, "sdpa"),
        ("sdpa", None, "sdpa"),
        ("xformers", None, "xformers"),
        ("xformers", "it is not installed", "sdpa"),
    ],
)
def test_xformers_is_used_where_it_is_wanted_and_works(wanted: str, trouble: str | None, kernel: str) -> None:
    chosen = choose(wanted, CUDA, torch.float16, lambda device, dtype: trouble)
    assert chosen.kernel == kernel
    assert (chosen.note is not None) == (wanted not in {kernel, "auto"})


def test_why_it_can_not_be_used_is_said() -> None:
    chosen = choose("xformers", CUDA, torch.float16, lambda device, dtype: "it is not installed")
    assert chosen.note == "xformers can't be used here (it is not installed); attention is PyTorch's own."


def test_on_a_cpu_xformers_has_nothing_to_offer_and_says_why() -> None:
    trouble = xformers_trouble(CPU, torch.float32)
    assert trouble
    assert "\n" not in trouble


class Recorded(type(make_unet())):  # type: ignore[misc]
    """A UNet that only remembers being asked."""

    asked = False

    def enable_xformers_memory_efficient_attention(self) -> None:
        Recorded.asked = True


@pytest.mark.parametrize("kernel", ["sdpa", "xformers"])
def test_only_xformers_changes_a_unet(kernel: str) -> None:
    unet = make_unet()
    unet.__class__ = Recorded
    Recorded.asked = False
    Attention(kernel).place(unet)
    Attention(kernel).place(make_vae())  # left alone: it would raise here, without a GPU
    assert Recorded.asked == (kernel == "xformers")
