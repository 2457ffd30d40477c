from __future__ import annotations

import pytest
import torch
from diffusers.models.attention_processor import XFormersAttnProcessor

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


@pytest.mark.parametrize("width", [8, 4])
@pytest.mark.parametrize("kernel", ["sdpa", "xformers"])
def test_only_xformers_changes_a_unet_whose_heads_it_has_kernels_for(kernel: str, width: int) -> None:
    unet = make_unet(attention_head_dim=(16 // width, 32 // width))
    vae = make_vae()
    Attention(kernel).place(unet)
    Attention(kernel).place(vae)
    of_unet, of_vae = ({type(one) for one in module.attn_processors.values()} for module in (unet, vae))
    assert (of_unet == {XFormersAttnProcessor}) == (kernel == "xformers" and width == 8)
    assert (XFormersAttnProcessor in of_unet) == (kernel == "xformers" and width == 8)
    assert XFormersAttnProcessor not in of_vae
