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
from dmd2_demo.hub.safetensors_header import Tensor, read_header
from dmd2_demo.models.sources import Folder, SingleFile
from tests.tiny import TinyFamily, make_lora

FIRST = "model.diffusion_model.input_blocks.0.0.weight"
SDXL_CLIP = "conditioner.embedders.0.transformer.text_model.embeddings.position_embedding.weight"
SDXL_OPEN_CLIP = "conditioner.embedders.1.model.ln_final.weight"
REFINER_CLIP = "conditioner.embedders.0.model.ln_final.weight"


@pytest.mark.parametrize(
    ("names", "channels", "kind"),
    [
        ([SDXL_CLIP, SDXL_OPEN_CLIP, "first_stage_model.encoder.conv_in.weight"], 4, ModelKind.SDXL),
        ([SDXL_CLIP, SDXL_OPEN_CLIP, "v_pred"], 4, ModelKind.V_PREDICTION),
        ([SDXL_CLIP, SDXL_OPEN_CLIP, "edm_mean"], 4, ModelKind.EDM),
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
    assert of_header(tensors) is kind


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
        ("model_index.json", {"_class_name": "StableDiffusionXLInpaintPipeline"}, ModelKind.INPAINTING),
        ("model_index.json", {"_class_name": "FluxPipeline"}, ModelKind.FLUX),
        ("model_index.json", {"_class_name": "StableDiffusion3Pipeline"}, ModelKind.SD3),
        ("model_index.json", {"_class_name": "KolorsPipeline"}, ModelKind.UNKNOWN),
        ("model_index.json", {"text_encoder": [None, None]}, ModelKind.REFINER),
        ("unet/config.json", {"in_channels": 9}, ModelKind.INPAINTING),
        ("unet/config.json", {"in_channels": 8}, ModelKind.EDITING),
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
    with pytest.raises(DemoError, match=r"/model_index\.json is damaged: it is no JSON"):
        of_pipeline(Folder(tmp_path), Hub(cache))
