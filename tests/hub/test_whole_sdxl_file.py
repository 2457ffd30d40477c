"""A single file is what all that it holds says, not one stray key."""

from __future__ import annotations

import pytest

from dmd2_demo.hub.model_kind import ModelKind, of_header
from dmd2_demo.hub.safetensors_header import Header, Tensor
from tests.sdxl_header import sdxl


@pytest.mark.parametrize(
    "stray",
    [
        "lora_unet_x.lora_down.weight",
        "control_model.a",
        "model_ema.decay",
        "cond_stage_model.transformer.a",
        "a.v_pred",
    ],
)
def test_a_stray_key_makes_a_whole_sdxl_file_nothing_else(stray: str) -> None:
    assert of_header(Header(sdxl() | {stray: Tensor("F16", (8, 8))}, {})) is ModelKind.SDXL


@pytest.mark.parametrize(("width", "kind"), [(768, ModelKind.SD1), (1024, ModelKind.SD2), (1280, ModelKind.REFINER)])
def test_stray_keys_make_no_sdxl_of_other_shapes(width: int, kind: ModelKind) -> None:
    assert of_header(Header(sdxl(width), {})) is kind


def test_smaller_students_are_named() -> None:
    smaller = {name: tensor for name, tensor in sdxl().items() if "middle_block" not in name}
    assert of_header(Header(smaller, {})) is ModelKind.SMALLER


@pytest.mark.parametrize(
    ("metadata", "kind"),
    [
        ({"modelspec.predict_key": "v", "modelspec.prediction_type": "epsilon"}, ModelKind.V_PREDICTION),
        ({"ss_zero_terminal_snr": "True"}, ModelKind.V_PREDICTION),
        ({"modelspec.architecture": "stable-diffusion-xl-v1-edm"}, ModelKind.EDM),
        (
            {"modelspec.architecture": "stable-diffusion-xl-v1-base/lora", "ss_v_parameterization": "False"},
            ModelKind.SDXL,
        ),
    ],
)
def test_all_that_a_file_says_of_itself_counts(metadata: dict[str, str], kind: ModelKind) -> None:
    assert of_header(Header(sdxl(), metadata)) is kind


def stored_as(dtype: str, *beside: str) -> dict[str, Tensor]:
    """A whole SDXL file whose attention is stored so, with further tensors beside each of its weights."""
    tensors = sdxl()
    for name in list(tensors):
        if name.endswith(".to_k.weight"):
            size = tensors[name].size
            tensors[name] = Tensor(dtype, (size // 2, 1) if dtype == "U8" else tensors[name].shape)
            module = name.removesuffix("weight")
            tensors |= {f"{module}{each}": Tensor("F32", (1,)) for each in beside}
    return tensors


@pytest.mark.parametrize(
    ("tensors", "kind"),
    [
        (stored_as("F8_E4M3", "scale_weight") | {"model.diffusion_model.scaled_fp8": Tensor("F8_E4M3", (2,))}, True),
        (stored_as("F8_E4M3") | {"scaled_fp8": Tensor("F8_E4M3", (0,))}, True),
        (stored_as("F8_E4M3", "weight_scale", "input_scale"), True),
        (stored_as("U8", "weight.absmax", "weight.quant_map", "weight.quant_state.bitsandbytes__nf4"), True),
        (stored_as("I8", "SCB"), True),
        (stored_as("F8_E4M3"), False),
        (stored_as("BF16"), False),
        # Strays in a file of half precision.
        (sdxl() | {"scaled_fp8": Tensor("F8_E4M3", (0,))}, False),
        (sdxl() | {"a.weight.absmax": Tensor("F32", (1,))}, False),
    ],
)
def test_quantised_single_files_are_named(tensors: dict[str, Tensor], kind: bool) -> None:
    assert of_header(Header(tensors, {})) is (ModelKind.QUANTISED if kind else ModelKind.SDXL)
