from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file

from dmd2_demo.errors import DemoError
from dmd2_demo.hub.hub import Hub
from dmd2_demo.hub.model_kind import ModelKind, of_header, of_pipeline, require_sdxl
from dmd2_demo.hub.safetensors_header import Header, Tensor, read_header
from dmd2_demo.models.sources import Folder, SingleFile
from tests.sdxl_header import FIRST, REFINER_CLIP, SDXL_CLIP, SDXL_OPEN_CLIP
from tests.tiny import TinyFamily, make_lora


@pytest.mark.parametrize(
    ("names", "channels", "kind"),
    [
        ([SDXL_CLIP, SDXL_OPEN_CLIP, "first_stage_model.encoder.conv_in.weight"], 4, ModelKind.SDXL),
        ([SDXL_CLIP, SDXL_OPEN_CLIP, "v_pred"], 4, ModelKind.V_PREDICTION),
        ([SDXL_CLIP, SDXL_OPEN_CLIP, "ztsnr"], 4, ModelKind.V_PREDICTION),
        ([SDXL_CLIP, SDXL_OPEN_CLIP, "edm_mean"], 4, ModelKind.EDM),
        ([SDXL_CLIP, SDXL_OPEN_CLIP, "edm_vpred.sigma_max"], 4, ModelKind.EDM),
        # Keys that strayed into a whole pipeline.
        ([SDXL_CLIP, SDXL_OPEN_CLIP, "unet.mid_block.lora_A.weight"], 4, ModelKind.SDXL),
        ([SDXL_CLIP, SDXL_OPEN_CLIP, "control_model.zero_convs.0.0.weight"], 4, ModelKind.SDXL),
        ([SDXL_CLIP, SDXL_OPEN_CLIP, "cond_stage_model.model.ln_final.weight"], 4, ModelKind.SDXL),
        ([SDXL_CLIP, SDXL_OPEN_CLIP, "denoiser.sigmas", "model_ema.decay"], 4, ModelKind.SDXL),
        ([SDXL_CLIP, SDXL_OPEN_CLIP, "model.diffusion_model.v_pred_head.weight"], 4, ModelKind.SDXL),
        ([SDXL_CLIP, SDXL_OPEN_CLIP], 9, ModelKind.INPAINTING),
        ([SDXL_CLIP, SDXL_OPEN_CLIP], 8, ModelKind.EDITING),
        ([REFINER_CLIP], 4, ModelKind.REFINER),
        ([], 4, ModelKind.PART),
        (["cond_stage_model.transformer.text_model.final_layer_norm.weight"], 4, ModelKind.SD1),
        (["cond_stage_model.model.ln_final.weight"], 4, ModelKind.SD2),
        (["joint_blocks.0.context_block.attn.qkv.weight"], None, ModelKind.SD3),
        (["model.diffusion_model.double_blocks.0.img_attn.qkv.weight"], None, ModelKind.FLUX),
        (["double_blocks.0.img_attn.qkv.weight"], None, ModelKind.FLUX),
        (["encoder.conv_in.weight", "decoder.conv_in.weight", "quant_conv.weight"], None, ModelKind.VAE),
        (["first_stage_model.decoder.conv_in.weight"], None, ModelKind.VAE),
        (["control_model.input_blocks.0.0.weight"], None, ModelKind.CONTROL),
        (["down_blocks.0.resnets.0.conv1.weight"], None, ModelKind.PART),
        (["unet.down_blocks.1.attentions.0.proj_in.lora_A.weight"], None, ModelKind.LORA),
        (["blk.0.attn_q.weight"], None, ModelKind.UNKNOWN),
        ([], None, ModelKind.UNKNOWN),
    ],
)
def test_single_files_are_told_apart_by_their_header(names: list[str], channels: int | None, kind: ModelKind) -> None:
    tensors = {name: Tensor("F16", (8, 8)) for name in names}
    if channels:
        tensors[FIRST] = Tensor("F16", (320, channels, 3, 3))
    assert of_header(Header(tensors, {})) is kind


@pytest.mark.parametrize(
    ("metadata", "kind"),
    [
        ({}, ModelKind.SDXL),
        ({"modelspec.prediction_type": "epsilon", "ss_v_parameterization": "False"}, ModelKind.SDXL),
        ({"modelspec.predict_key": "epsilon"}, ModelKind.SDXL),
        ({"modelspec.predict_key": "v"}, ModelKind.V_PREDICTION),
        ({"modelspec.prediction_type": "v"}, ModelKind.V_PREDICTION),
        ({"modelspec.prediction_type": "v-prediction"}, ModelKind.V_PREDICTION),
        ({"ss_v_parameterization": "True"}, ModelKind.V_PREDICTION),
        ({"modelspec.prediction_type": "edm_vpred"}, ModelKind.EDM),
        ({"modelspec.prediction_type": "sample"}, ModelKind.OTHER_PREDICTION),
    ],
)
def test_what_a_single_file_predicts_is_told_by_what_its_maker_wrote(metadata: dict[str, str], kind: ModelKind) -> None:
    tensors = {name: Tensor("F16", (8, 8)) for name in (SDXL_CLIP, SDXL_OPEN_CLIP)}
    tensors[FIRST] = Tensor("F16", (320, 4, 3, 3))
    assert of_header(Header(tensors, metadata)) is kind


def test_lora_is_told_by_its_header(tmp_path: Path) -> None:
    with torch.device("meta"):
        unet = UNet2DConditionModel(block_out_channels=(32, 32, 32, 32))
    save_file({name: torch.zeros(tensor.shape) for name, tensor in make_lora(unet).items()}, tmp_path / "lora")
    assert of_header(read_header(tmp_path / "lora")) is ModelKind.LORA


BASE: dict[str, Mapping[str, Any]] = {
    "model_index.json": {
        "_class_name": "StableDiffusionXLPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
    },
    "unet/config.json": {"addition_embed_type": "text_time", "cross_attention_dim": 2048, "in_channels": 4},
    "scheduler/scheduler_config.json": {"_class_name": "EulerDiscreteScheduler", "prediction_type": "epsilon"},
}


def write(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> Folder:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    return Folder(folder)


@pytest.mark.parametrize(
    ("name", "changes", "kind"),
    [
        ("model_index.json", {}, ModelKind.SDXL),
        ("model_index.json", {"_class_name": "StableDiffusionXLImg2ImgPipeline"}, ModelKind.SDXL),
        # Whole bases, saved from other pipelines.
        ("model_index.json", {"_class_name": "StableDiffusionXLInpaintPipeline"}, ModelKind.SDXL),
        (
            "model_index.json",
            {"_class_name": "StableDiffusionXLControlNetPipeline", "controlnet": ["diffusers", "ControlNetModel"]},
            ModelKind.SDXL,
        ),
        ("model_index.json", {"_class_name": "StableDiffusionXLControlNetInpaintPipeline"}, ModelKind.SDXL),
        ("model_index.json", {"_class_name": "FluxPipeline"}, ModelKind.FLUX),
        ("model_index.json", {"_class_name": "StableDiffusion3Pipeline"}, ModelKind.SD3),
        ("model_index.json", {"_class_name": "KolorsPipeline"}, ModelKind.UNKNOWN),
        ("model_index.json", {"text_encoder": [None, None]}, ModelKind.REFINER),
        ("unet/config.json", {"in_channels": 9}, ModelKind.INPAINTING),
        ("unet/config.json", {"in_channels": 8}, ModelKind.EDITING),
        ("unet/config.json", {"in_channels": 9, "addition_embed_type": None}, ModelKind.INPAINTING),
        ("unet/config.json", {"addition_embed_type": None, "cross_attention_dim": 768}, ModelKind.SD1),
        ("unet/config.json", {"addition_embed_type": None, "cross_attention_dim": 1024}, ModelKind.SD2),
        ("scheduler/scheduler_config.json", {"prediction_type": "v_prediction"}, ModelKind.V_PREDICTION),
        ("scheduler/scheduler_config.json", {"_class_name": "EDMDPMSolverMultistepScheduler"}, ModelKind.EDM),
    ],
)
def test_pipelines_are_told_apart_by_their_configs(
    tmp_path: Path, cache: Path, name: str, changes: Mapping[str, Any], kind: ModelKind
) -> None:
    source = write(tmp_path, BASE | {name: {**BASE[name], **changes}})
    assert of_pipeline(source, Hub(cache)) is kind


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"config.json": {"_class_name": "AutoencoderKL"}}, ModelKind.VAE),
        ({"config.json": {"_class_name": "ControlNetModel"}}, ModelKind.CONTROL),
        ({"config.json": {"_class_name": "T2IAdapter"}}, ModelKind.CONTROL),
        ({"config.json": {"_class_name": "UNet2DConditionModel"}}, ModelKind.PART),
        ({"pytorch_lora_weights.safetensors": {}}, ModelKind.LORA),
        ({}, ModelKind.LOOSE),
    ],
)
def test_other_repositories_are_told_apart(
    tmp_path: Path, cache: Path, files: Mapping[str, Mapping[str, Any]], kind: ModelKind
) -> None:
    assert of_pipeline(write(tmp_path, files), Hub(cache)) is kind


def test_bases_pass_and_others_are_refused_in_one_sentence(family: TinyFamily, cache: Path, tmp_path: Path) -> None:
    hub = Hub(cache)
    require_sdxl(Folder(family.base), hub)
    require_sdxl(SingleFile(family.single_file, Folder(family.base)), hub)
    with pytest.raises(DemoError, match=r"^vae can't be a base here: it is a VAE, and an SDXL base is needed\.$"):
        require_sdxl(Folder(family.base / "vae"), hub)
    lora = SingleFile(family.dmd2 / "dmd2_sdxl_4step_lora_fp16.safetensors", Folder(family.base))
    with pytest.raises(DemoError, match="it is a LoRA, and"):
        require_sdxl(lora, hub)
    with pytest.raises(DemoError, match=r"There is no file absent\.safetensors"):
        require_sdxl(SingleFile(tmp_path / "absent.safetensors", Folder(family.base)), hub)
    (tmp_path / "model.ckpt").write_bytes(b"pickle")
    with pytest.raises(DemoError, match=r"only \.safetensors files are read"):
        require_sdxl(SingleFile(tmp_path / "model.ckpt", Folder(family.base)), hub)
    (tmp_path / "cut.safetensors").write_bytes(family.single_file.read_bytes()[:-10])
    with pytest.raises(DemoError, match=r"cut\.safetensors is damaged: its end is missing"):
        require_sdxl(SingleFile(tmp_path / "cut.safetensors", Folder(family.base)), hub)


def test_config_that_is_no_json_is_told(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "model_index.json").write_text("<html>")
    with pytest.raises(DemoError, match=r"can't be used: .*model_index\.json is damaged: it is no JSON"):
        of_pipeline(Folder(tmp_path), Hub(cache))


@pytest.mark.parametrize(
    ("name", "changes", "kind"),
    [
        ("unet/config.json", {"in_channels": [4]}, ModelKind.UNKNOWN),
        ("scheduler/scheduler_config.json", {"prediction_type": None}, ModelKind.SDXL),
        (
            "scheduler/scheduler_config.json",
            {"_class_name": "FlowMatchEulerDiscreteScheduler"},
            ModelKind.OTHER_PREDICTION,
        ),
    ],
)
def test_odd_configs_are_told_apart_too(
    tmp_path: Path, cache: Path, name: str, changes: Mapping[str, Any], kind: ModelKind
) -> None:
    assert of_pipeline(write(tmp_path, BASE | {name: {**BASE[name], **changes}}), Hub(cache)) is kind


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"transformer_layers_per_block": [1, 2, 10], "mid_block_type": "UNetMidBlock2DCrossAttn"}, ModelKind.SDXL),
        ({"transformer_layers_per_block": [0, 2, 10]}, ModelKind.SDXL),
        ({"transformer_layers_per_block": [1, 2, 10], "reverse_transformer_layers_per_block": None}, ModelKind.SDXL),
        # In the manner of SSD-1B, Vega and KOALA.
        ({"transformer_layers_per_block": [1, 2, 4]}, ModelKind.SMALLER),
        ({"transformer_layers_per_block": [1, [1, 1], [4, 4]]}, ModelKind.SMALLER),
        ({"transformer_layers_per_block": 1}, ModelKind.SMALLER),
        (
            {
                "transformer_layers_per_block": [1, 2, 10],
                "reverse_transformer_layers_per_block": [[4, 4, 10], [2, 1, 1], 1],
            },
            ModelKind.SMALLER,
        ),
        ({"transformer_layers_per_block": [1, 2, 10], "mid_block_type": None}, ModelKind.SMALLER),
        ({"transformer_layers_per_block": [1, 2, 10], "mid_block_type": "UNetMidBlock2D"}, ModelKind.SMALLER),
        ({"transformer_layers_per_block": [1, 2, 10], "layers_per_block": 1}, ModelKind.SMALLER),
        ({"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}, ModelKind.QUANTISED),
    ],
)
def test_students_and_quantised_models_in_diffusers_layout_are_named(
    tmp_path: Path, cache: Path, changes: Mapping[str, Any], kind: ModelKind
) -> None:
    unet = {**BASE["unet/config.json"], **changes}
    assert of_pipeline(write(tmp_path, BASE | {"unet/config.json": unet}), Hub(cache)) is kind
