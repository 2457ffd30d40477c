from __future__ import annotations

import copy

import pytest
import torch
from diffusers import UNet2DConditionModel

from dmd2_demo.weights.lora import LoraLayers, Mergeable
from dmd2_demo.weights.lora_forms import Targets, read_lora
from tests.tiny import make_lora, make_unet
from tests.weights.lora_files import ATTENTION, kohya, layers
from tests.weights.merged import same, ulp, weights


@pytest.fixture(scope="module")
def bare() -> UNet2DConditionModel:
    torch.manual_seed(1)
    return make_unet().requires_grad_(False)


def some(unet: UNet2DConditionModel, kinds: tuple[str, ...], seed: int) -> LoraLayers:
    """A LoRA of these layers alone."""
    torch.manual_seed(seed)
    tensors, metadata = kohya(layers(unet, kinds), {}, {})
    return read_lora(tensors, metadata, Targets(unet)).unet


Three = tuple[LoraLayers, LoraLayers, LoraLayers]


@pytest.fixture(scope="module")
def distillation(bare: UNet2DConditionModel) -> LoraLayers:
    """One as DMD2's own: of every layer."""
    torch.manual_seed(4)
    return read_lora(make_lora(bare), {}, Targets(bare)).unet


@pytest.fixture(scope="module")
def three(bare: UNet2DConditionModel) -> Three:
    """One of attention, one of convolutions and attention, one of the rest."""
    return some(bare, ATTENTION, 1), some(bare, ("to_q", "conv1"), 2), some(bare, ("ff.net.2", "to_k"), 3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_three_beside_dmd2s_are_merged_in_one_within_one_ulp_of_float64(
    bare: UNet2DConditionModel, distillation: LoraLayers, three: Three, dtype: torch.dtype
) -> None:
    unet = copy.deepcopy(bare).to(dtype)
    before = weights(unet)
    mergeable, loras = Mergeable(unet), list(zip((distillation, *three), (0.75, 0.8, 1.5, 0.35), strict=True))
    mergeable.merge(loras, before)
    touched = {name for one, _ in loras for name in one}
    for name, tensor in weights(unet).items():
        layer = name.removesuffix(".weight")
        if layer not in touched or name == layer:
            assert torch.equal(tensor, before[name])
            continue
        exact = before[name].double()
        for one, scale in loras:
            if layer in one:
                up, down = one[layer].up.double(), one[layer].down.double()
                delta = torch.einsum("or,r...->o...", up.flatten(1), down)
                exact = exact + scale * one[layer].factor * delta.reshape(exact.shape)
        assert ((tensor.double() - exact).abs() <= ulp(exact.to(dtype))).all(), name


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_whatever_was_merged_before_the_same_loras_give_the_same_bits(
    bare: UNet2DConditionModel, three: Three, dtype: torch.dtype
) -> None:
    pristine = weights(copy.deepcopy(bare).to(dtype))
    a, b, c = three
    wanted = [(a, 0.8), (b, 0.5), (c, 1.2)]
    fresh = copy.deepcopy(bare).to(dtype)
    Mergeable(fresh).merge(wanted, pristine)
    used = Mergeable(copy.deepcopy(bare).to(dtype))
    for before in ([(c, 1.0)], [(a, 0.1), (c, 0.3)], [], [(b, 1.5)], [(a, 0.8), (b, 0.5), (c, 0.0)]):
        used.merge(before, pristine)
        used.merge(wanted, pristine)
        assert same(weights(used.network), weights(fresh))
    used.merge([])
    assert same(weights(used.network), pristine)


def test_a_new_scale_computes_the_layers_of_that_lora_alone(bare: UNet2DConditionModel, three: Three) -> None:
    unet = copy.deepcopy(bare)
    pristine, mergeable = weights(unet), Mergeable(unet)
    a, b, c = three
    assert mergeable.merge([(a, 0.8), (b, 0.5), (c, 1.0)], pristine) == len({*a, *b, *c})

    def writes() -> dict[str, int]:
        return {name: parameter._version for name, parameter in unet.named_parameters()}

    before = writes()
    assert mergeable.merge([(a, 0.8), (b, 0.5), (c, 1.0)], pristine) == 0
    assert writes() == before
    assert mergeable.merge([(a, 0.8), (b, 0.6), (c, 1.0)], pristine) == len(b)
    written = {name for name, count in writes().items() if count != before[name]}
    assert written == {f"{name}.weight" for name in b}


def test_scale_zero_among_others_is_as_if_it_were_not_there(bare: UNet2DConditionModel, three: Three) -> None:
    a, b, _ = three
    with_it, without = (Mergeable(copy.deepcopy(bare)) for _ in range(2))
    with_it.merge([(a, 0.8), (b, 0.0)], weights(bare))
    without.merge([(a, 0.8)], weights(bare))
    assert same(weights(with_it.network), weights(without.network))


def test_without_weights_to_merge_from_copies_are_kept_while_something_is_merged(
    bare: UNet2DConditionModel, three: Three
) -> None:
    unet = copy.deepcopy(bare)
    before, mergeable = weights(unet), Mergeable(unet)
    a, b, _ = three
    mergeable.merge([(a, 0.8), (b, 0.5)])
    expected = Mergeable(copy.deepcopy(bare))
    expected.merge([(a, 0.8), (b, 0.5)], before)
    assert same(weights(unet), weights(expected.network))
    assert set(mergeable._pristine) == {*a, *b}
    mergeable.merge([(a, 0.8)])
    assert set(mergeable._pristine) == set(a)
    mergeable.merge([])
    assert not mergeable._pristine
    assert same(weights(unet), before)


def test_what_fails_half_way_is_merged_again(bare: UNet2DConditionModel, three: Three) -> None:
    unet = copy.deepcopy(bare)
    before, mergeable = weights(unet), Mergeable(unet)
    broken = unet.get_submodule(list(three[0])[3])
    kept = broken.weight
    broken.weight = torch.nn.Parameter(torch.zeros(1, 2, 3), requires_grad=False)
    with pytest.raises(RuntimeError):
        mergeable.merge([(three[0], 0.8)], before)
    broken.weight = kept
    mergeable.merge([(three[0], 0.8)], before)
    expected = Mergeable(copy.deepcopy(bare))
    expected.merge([(three[0], 0.8)], before)
    assert same(weights(unet), weights(expected.network))
