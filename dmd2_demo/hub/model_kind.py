"""What a repository, folder or file holds, told from configs or a file's header: before anything large is read."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from dmd2_demo.errors import DemoError
from dmd2_demo.hub.hub import Hub
from dmd2_demo.hub.hub_errors import NotThere
from dmd2_demo.hub.safetensors_header import BrokenFile, Tensor, read_header
from dmd2_demo.models.content import read_json, require_itself
from dmd2_demo.models.sources import File, PipelineSource, SingleFile, Source


class ModelKind(StrEnum):
    """What it is, as a sentence says it."""

    SDXL = "an SDXL base"
    SD1 = "a Stable Diffusion 1 model"
    SD2 = "a Stable Diffusion 2 model"
    SD3 = "a Stable Diffusion 3 model"
    REFINER = "SDXL's refiner"
    INPAINTING = "an inpainting model"
    EDITING = "a model that edits pictures by instruction"
    V_PREDICTION = "an SDXL model that predicts velocity, which DMD2's LoRA was not made for"
    EDM = "an SDXL model with another noise schedule (EDM), which DMD2's LoRA was not made for"
    FLUX = "a Flux model"
    LORA = "a LoRA"
    VAE = "a VAE"
    CONTROL = "a ControlNet or adapter"
    PART = "a part of a model"
    LOOSE = "without a pipeline in diffusers' layout"
    UNKNOWN = "no model that this demo knows"


def require_sdxl(source: PipelineSource, hub: Hub) -> None:
    """Raises DemoError, in one sentence, where `source` is no SDXL base. Reads configs or a header at most."""
    kind = of_file(source) if isinstance(source, SingleFile) else of_pipeline(source, hub)
    if kind is not ModelKind.SDXL:
        raise DemoError(f"{source} can't be a base here: it is {kind}, and an SDXL base is needed.")


def of_file(source: SingleFile) -> ModelKind:
    """What a single file holds. DemoError where it is none or damaged."""
    if not source.path.is_file():
        raise DemoError(f"There is no file {source}.")
    if source.path.suffix != ".safetensors":
        raise DemoError(f"{source} can't be a base here: only .safetensors files are read.")
    require_itself(source.path)
    try:
        return of_header(read_header(source.path))
    except BrokenFile as error:
        raise DemoError(f"{source} is damaged: {error}.") from error


def of_header(tensors: Mapping[str, Tensor]) -> ModelKind:
    """What tensors of these names and shapes are."""
    for signs, kind in _SIGNS:
        if any(sign in name for name in tensors for sign in signs):
            return kind
    first = tensors.get("model.diffusion_model.input_blocks.0.0.weight")
    if first is None:
        vae = ("encoder.", "decoder.", "quant_conv.", "post_quant_conv.", "first_stage_model.")
        if tensors and all(name.startswith(vae) for name in tensors):
            return ModelKind.VAE
        return (
            ModelKind.PART
            if any(name.startswith(("down_blocks.", "text_model.")) for name in tensors)
            else ModelKind.UNKNOWN
        )
    by_channels = _of_channels(first.shape[1])
    if by_channels is not ModelKind.SDXL:
        return by_channels
    encoders = {
        number for number in "01" if any(name.startswith(f"conditioner.embedders.{number}.") for name in tensors)
    }
    if encoders == {"0", "1"}:
        return ModelKind.SDXL
    return ModelKind.REFINER if encoders else ModelKind.PART


_SIGNS: tuple[tuple[tuple[str, ...], ModelKind], ...] = (
    ((".lora_down.", ".lora_up.", ".lora_A.", ".lora_B.", ".hada_w1", ".lokr_w1"), ModelKind.LORA),
    (("double_blocks.0.", "single_transformer_blocks.0."), ModelKind.FLUX),
    (("joint_blocks.0.",), ModelKind.SD3),
    (("control_model.", "controlnet_cond_embedding.", "adapter.body."), ModelKind.CONTROL),
    (("cond_stage_model.transformer.",), ModelKind.SD1),
    (("cond_stage_model.model.",), ModelKind.SD2),
    (("edm_mean",), ModelKind.EDM),
    (("v_pred",), ModelKind.V_PREDICTION),
)


def of_pipeline(source: Source, hub: Hub) -> ModelKind:
    """What a repository or folder in diffusers' layout holds. DemoError where its configs can't be had."""
    try:
        index = _read(File(source, "model_index.json"), hub)
    except NotThere:
        return _of_part(source, hub)
    name = str(index.get("_class_name"))
    for sign, kind in _PIPELINES:
        if sign in name:
            return kind
    if "StableDiffusion" not in name or not index.get("unet"):
        return ModelKind.UNKNOWN
    unet = _read(File(source, "unet/config.json"), hub)
    if unet.get("addition_embed_type") != "text_time":
        return ModelKind.SD1 if unet.get("cross_attention_dim") == 768 else ModelKind.SD2
    by_channels = _of_channels(unet.get("in_channels", 4))
    if by_channels is not ModelKind.SDXL:
        return by_channels
    if not (_is_there(index, "text_encoder") and _is_there(index, "text_encoder_2")):
        return ModelKind.REFINER
    scheduler = _read(File(source, "scheduler/scheduler_config.json"), hub)
    if "EDM" in str(scheduler.get("_class_name")):
        return ModelKind.EDM
    return ModelKind.V_PREDICTION if scheduler.get("prediction_type") == "v_prediction" else ModelKind.SDXL


_PIPELINES = (
    ("Flux", ModelKind.FLUX),
    ("StableDiffusion3", ModelKind.SD3),
    ("Inpaint", ModelKind.INPAINTING),
    ("Pix2Pix", ModelKind.EDITING),
    ("ControlNet", ModelKind.CONTROL),
)


def _of_part(source: Source, hub: Hub) -> ModelKind:
    """What a repository or folder without a pipeline holds."""
    try:
        name = str(_read(File(source, "config.json"), hub).get("_class_name"))
    except NotThere:
        lora = File(source, "pytorch_lora_weights.safetensors")
        return ModelKind.LORA if hub.has(lora) else ModelKind.LOOSE
    if "Autoencoder" in name:
        return ModelKind.VAE
    return ModelKind.CONTROL if "ControlNet" in name or "Adapter" in name else ModelKind.PART


def _of_channels(count: int) -> ModelKind:
    return {4: ModelKind.SDXL, 9: ModelKind.INPAINTING, 8: ModelKind.EDITING}.get(count, ModelKind.UNKNOWN)


def _is_there(index: Mapping[str, Any], component: str) -> bool:
    """A pipeline names the components that it lacks as [null, null]."""
    return any(index.get(component) or ())


def _read(file: File, hub: Hub) -> Mapping[str, Any]:
    return read_json(hub.fetch(file))
