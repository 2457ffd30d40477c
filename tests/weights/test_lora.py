from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import nn

from dmd2_demo.errors import DemoError
from dmd2_demo.weights.lora import Mergeable
from dmd2_demo.weights.lora_forms import Targets, read_lora
from tests.tiny import make_lora, make_unet
from tests.weights.merged import Tensors, same, ulp, weights

SCALES = (1.0, 0.75, 0.3, 1.5, 0.0, 0.75)


@pytest.fixture(scope="module")
def bare() -> UNet2DConditionModel:
    torch.manual_seed(1)
    return make_unet().requires_grad_(False)


@pytest.fixture(scope="module")
def lora(bare: UNet2DConditionModel) -> Tensors:
    return make_lora(bare)


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
        (
            lambda lora: {
                name: torch.zeros(3000, *tensor.shape[1:])
                if "down.weight" in name
                else torch.zeros(len(tensor), 3000, *tensor.shape[2:])
                if "up.weight" in name
                else tensor
                for name, tensor in lora.items()
            },
            "its rank is 3000, and the most is 2048",
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
