from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import nn

from dmd2_demo.errors import DemoError
from dmd2_demo.weights.lora import LoraLayers, Mergeable
from dmd2_demo.weights.lora_forms import Targets, read_lora
from tests.tiny import make_lora, make_unet
from tests.weights.lora_files import ALPHA, ATTENTION, RANK, kohya, layers

Tensors = dict[str, torch.Tensor]
SCALES = (1.0, 0.75, 0.3, 1.5, 0.0, 0.75)


@pytest.fixture(scope="module")
def bare() -> UNet2DConditionModel:
    torch.manual_seed(1)
    return make_unet().requires_grad_(False)


@pytest.fixture(scope="module")
def lora(bare: UNet2DConditionModel) -> Tensors:
    return make_lora(bare)


def weights(unet: nn.Module) -> Tensors:
    return {name: tensor.clone() for name, tensor in unet.state_dict().items()}


class OneLora:
    """A UNet with one LoRA."""

    def __init__(
        self, unet: UNet2DConditionModel, lora: Mapping[str, torch.Tensor], pristine: Tensors | None = None
    ) -> None:
        self.unet = unet
        self.layers = read_lora(lora, {}, Targets(unet)).unet
        self._mergeable, self._pristine = Mergeable(unet), pristine or weights(unet)

    def set_scale(self, scale: float) -> None:
        self._mergeable.merge([(self.layers, scale)], self._pristine)


def mergeable_of(unet: UNet2DConditionModel, lora: Mapping[str, torch.Tensor]) -> OneLora:
    return OneLora(unet, lora)


def same(one: Mapping[str, torch.Tensor], two: Mapping[str, torch.Tensor]) -> bool:
    """Bit for bit, so that 0 and -0 differ."""
    return one.keys() == two.keys() and all(
        torch.equal(tensor.view(torch.uint8), two[name].view(torch.uint8)) for name, tensor in one.items()
    )


def ulp(values: torch.Tensor) -> torch.Tensor:
    """The distance to the next larger number of the same type, in float64."""
    up = torch.nextafter(values.abs(), torch.full_like(values, torch.inf)) if values.dtype == torch.float32 else None
    if up is not None:
        return up.double() - values.abs().double()
    info = torch.finfo(values.dtype)
    exponent = torch.frexp(values.double()).exponent - 1
    smallest = info.smallest_normal * info.eps
    return torch.clamp(torch.exp2(exponent.double()) * info.eps, min=smallest)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("scale", [1.0, 0.75, 0.1, 1.5])
def test_merged_weights_are_within_one_ulp_of_float64(
    bare: UNet2DConditionModel, lora: Tensors, dtype: torch.dtype, scale: float
) -> None:
    unet = copy.deepcopy(bare).to(dtype)
    before = weights(unet)
    mergeable = mergeable_of(unet, lora)
    mergeable.set_scale(scale)
    after = weights(unet)
    targets = {key.removesuffix(".alpha") for key in lora if key.endswith(".alpha")}
    kinds = set()
    for name, module in unet.named_modules():
        key = "lora_unet_" + name.replace(".", "_")
        if key in targets:
            up, down = lora[f"{key}.lora_up.weight"].double(), lora[f"{key}.lora_down.weight"].double()
            delta = torch.einsum("or,r...->o...", up.flatten(1), down) * float(lora[f"{key}.alpha"]) / down.shape[0]
            exact = before[f"{name}.weight"].double() + scale * delta
            off = (after[f"{name}.weight"].double() - exact).abs()
            assert (off <= ulp(exact.to(dtype))).all(), name
            kinds.add((type(module), module.weight.shape[2:].numel()))
            targets.remove(key)
    assert not targets
    assert kinds >= {(nn.Linear, 1), (nn.Conv2d, 9)}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_any_order_of_scales_gives_what_a_fresh_load_gives(
    bare: UNet2DConditionModel, lora: Tensors, dtype: torch.dtype
) -> None:
    def fresh(scale: float) -> Tensors:
        mergeable = mergeable_of(copy.deepcopy(bare).to(dtype), lora)
        mergeable.set_scale(scale)
        return weights(mergeable.unet)

    expected = {scale: fresh(scale) for scale in set(SCALES)}
    used = mergeable_of(copy.deepcopy(bare).to(dtype), lora)
    for scale in itertools.chain(SCALES, reversed(SCALES)):
        used.set_scale(scale)
        assert same(weights(used.unet), expected[scale]), scale


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("stored", [torch.float32, torch.float16, torch.bfloat16])
def test_pristine_weights_of_any_type_merge_as_the_unets_own(
    bare: UNet2DConditionModel, lora: Tensors, stored: torch.dtype, dtype: torch.dtype
) -> None:
    pristine = {name: tensor.to(stored) for name, tensor in weights(bare).items()}
    unet = copy.deepcopy(bare).to(stored).to(dtype)
    ours, expected = OneLora(unet, lora, pristine), mergeable_of(copy.deepcopy(unet), lora)
    for scale in (0.7, 0.0):
        ours.set_scale(scale)
        expected.set_scale(scale)
        assert same(weights(ours.unet), weights(expected.unet))


def test_scale_zero_is_the_bare_unet_bit_for_bit(bare: UNet2DConditionModel, lora: Tensors) -> None:
    unet = copy.deepcopy(bare)
    unet.mid_block.resnets[0].conv1.weight[0, 0] = -0.0
    before = weights(unet)
    mergeable = mergeable_of(unet, lora)
    assert same(weights(unet), before)
    mergeable.set_scale(1.0)
    assert not same(weights(unet), before)
    mergeable.set_scale(0.0)
    assert same(weights(unet), before)


def test_lora_without_alpha_is_taken_as_it_is(bare: UNet2DConditionModel, lora: Tensors) -> None:
    rank = 4
    plain = {name: tensor for name, tensor in lora.items() if not name.endswith("alpha")}
    as_rank = {
        name: tensor if not name.endswith("alpha") else torch.tensor(float(rank)) for name, tensor in lora.items()
    }
    one, two = (mergeable_of(copy.deepcopy(bare), tensors) for tensors in (plain, as_rank))
    one.set_scale(0.8)
    two.set_scale(0.8)
    assert same(weights(one.unet), weights(two.unet))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (dict, "does not fit the base's UNet: it is for nothing"),
        (lambda lora: {f"lora_te1_{name}": tensor for name, tensor in lora.items()}, "holds what is not merged here"),
        (
            lambda lora: {f"diffusion_model.{name}": tensor for name, tensor in lora.items()},
            "it is for diffusion_model",
        ),
        (
            lambda lora: {name: tensor for name, tensor in lora.items() if "up.weight" not in name},
            "is incomplete",
        ),
        (
            lambda lora: {name: tensor[:, :2] if "down.weight" in name else tensor for name, tensor in lora.items()},
            "another shape",
        ),
        (
            lambda lora: {name: tensor * torch.nan if "alpha" in name else tensor for name, tensor in lora.items()},
            "is damaged",
        ),
    ],
)
def test_lora_that_does_not_fit_is_told(
    bare: UNet2DConditionModel, lora: Tensors, change: object, sentence: str
) -> None:
    assert callable(change)
    changed = {} if change is dict else change(lora)
    with pytest.raises(DemoError, match=sentence):
        mergeable_of(copy.deepcopy(bare), changed)


def some(unet: UNet2DConditionModel, kinds: tuple[str, ...], seed: int) -> LoraLayers:
    """A LoRA of these layers alone."""
    torch.manual_seed(seed)
    tensors, metadata = kohya(layers(unet, kinds), {}, {})
    return read_lora(tensors, metadata, Targets(unet)).unet


Three = tuple[LoraLayers, LoraLayers, LoraLayers]


@pytest.fixture(scope="module")
def three(bare: UNet2DConditionModel) -> Three:
    """One of attention, one of convolutions and attention, one of the rest."""
    return some(bare, ATTENTION, 1), some(bare, ("to_q", "conv1"), 2), some(bare, ("ff.net.2", "to_k"), 3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_three_loras_are_merged_in_one_within_one_ulp_of_float64(
    bare: UNet2DConditionModel, three: Three, dtype: torch.dtype
) -> None:
    unet = copy.deepcopy(bare).to(dtype)
    before = weights(unet)
    mergeable, scales = Mergeable(unet), (0.8, 1.5, 0.35)
    mergeable.merge(list(zip(three, scales, strict=True)), before)
    touched = {name for one in three for name in one}
    for name, tensor in weights(unet).items():
        layer = name.removesuffix(".weight")
        if layer not in touched or name == layer:
            assert torch.equal(tensor, before[name])
            continue
        exact = before[name].double()
        for one, scale in zip(three, scales, strict=True):
            if layer in one:
                up, down = one[layer].up.double(), one[layer].down.double()
                delta = torch.einsum("or,r...->o...", up.flatten(1), down)
                exact = exact + scale * (ALPHA / RANK) * delta.reshape(exact.shape)
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
