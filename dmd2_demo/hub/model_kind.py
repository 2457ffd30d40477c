"""What a repository, folder or file holds, told from configs or a file's header: before anything large is read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any

from dmd2_demo.errors import DemoError
from dmd2_demo.hub.hub import Hub
from dmd2_demo.hub.hub_errors import NotThere, Unreachable
from dmd2_demo.hub.safetensors_header import BrokenFile, Header, Tensor, read_header
from dmd2_demo.models.config_file import read_config
from dmd2_demo.models.content import require_itself
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
    OTHER_PREDICTION = "an SDXL model that predicts something else than noise, which DMD2's LoRA was not made for"
    SMALLER = "a model with other layers than SDXL's"
    EDM = "an SDXL model with another noise schedule (EDM), which DMD2's LoRA was not made for"
    QUANTISED = "a quantised model, which this demo can't read"
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
    except OSError as error:
        raise DemoError(f"{source} can't be read: {error.strerror or error}.") from error


def of_header(header: Header) -> ModelKind:
    """What a file with this header is, by all that it holds: a key that strayed into a whole pipeline means nothing."""
    names = header.tensors.keys()
    first = header.tensors.get(f"{_UNET}input_blocks.0.0.weight")
    encoders = {number for number in "01" if any(name.startswith(f"conditioner.embedders.{number}.") for name in names)}
    attention = [tensor.shape for name, tensor in header.tensors.items() if _hears_text(name)]
    width = next((shape[1] for shape in attention if len(shape) == 2), None)
    if width in _OF_WIDTH:
        return _OF_WIDTH[width]
    if first is None or not encoders:
        return _of_names(names) or (ModelKind.PART if first else _of_parts(names))
    by_channels = _of_channels(first.shape[1] if len(first.shape) == 4 else 0)
    if by_channels is not ModelKind.SDXL:
        return by_channels
    if encoders != {"0", "1"}:
        return ModelKind.REFINER
    if width == _FULL_WIDTH and any(not any(name.startswith(last) for name in names) for last in _LAST):
        return ModelKind.SMALLER
    return ModelKind.QUANTISED if _is_quantised(header.tensors) else _of_noise(names, header.metadata)


def _hears_text(name: str) -> bool:
    return name.startswith(_UNET) and name.endswith(".attn2.to_k.weight")


def _is_quantised(tensors: Mapping[str, Tensor]) -> bool:
    """Whether weights are packed integers, or floats of eight bits that are nothing without scales beside them."""
    kinds = {tensor.dtype for name, tensor in tensors.items() if name.endswith(".weight")}
    scaled = any(name.endswith(_SCALES) for name in tensors)
    return bool(kinds & _PACKED) or (scaled and any(kind.startswith("F8") for kind in kinds))


_PACKED = {"U8", "I8"}  # bitsandbytes and its like
_SCALES = ("scaled_fp8", ".scale_weight", ".weight_scale")
_UNET = "model.diffusion_model."
# What a UNet hears from its text encoders tells it apart, whatever lies beside it; SDXL's deepest level has ten
# transformers a block, which smaller students of it lack.
_OF_WIDTH = {768: ModelKind.SD1, 1024: ModelKind.SD2, 1280: ModelKind.REFINER}
_FULL_WIDTH = 2048
_LAST = tuple(f"{_UNET}{block}.1.transformer_blocks.9." for block in ("input_blocks.8", "middle_block"))

# What a file is that is no SDXL pipeline, by beginnings or other parts of its tensors' names.
_SIGNS: tuple[tuple[tuple[str, ...], ModelKind], ...] = (
    ((".lora_down.", ".lora_up.", ".lora_A.", ".lora_B.", ".hada_w1", ".lokr_w1", ".lokr_w2"), ModelKind.LORA),
    (("double_blocks.0.", "single_transformer_blocks.0."), ModelKind.FLUX),
    (("joint_blocks.0.",), ModelKind.SD3),
    (("control_model.", "controlnet_cond_embedding.", "adapter.body."), ModelKind.CONTROL),
    (("cond_stage_model.transformer.",), ModelKind.SD1),
    (("cond_stage_model.model.",), ModelKind.SD2),
)
_OF_VAE = ("encoder.", "decoder.", "quant_conv.", "post_quant_conv.", "first_stage_model.")


def _of_names(names: Collection[str]) -> ModelKind | None:
    return next((kind for signs, kind in _SIGNS if any(sign in name for name in names for sign in signs)), None)


def _of_parts(names: Collection[str]) -> ModelKind:
    if names and all(name.startswith(_OF_VAE) for name in names):
        return ModelKind.VAE
    of_part = any(name.startswith(("down_blocks.", "text_model.", "conditioner.")) for name in names)
    return ModelKind.PART if of_part else ModelKind.UNKNOWN


def _of_noise(names: Collection[str], metadata: Mapping[str, str]) -> ModelKind:
    """Which noise an SDXL pipeline learned: trainers mark what is not SDXL's own by keys or in the header."""
    beginnings = {name.partition(".")[0] for name in names}
    if any(beginning.startswith("edm") for beginning in beginnings) or "edm" in metadata.get(
        "modelspec.architecture", ""
    ):
        return ModelKind.EDM
    flags = ("ss_v_parameterization", "ss_zero_terminal_snr", "v_pred", "ztsnr")
    if beginnings & {"v_pred", "ztsnr"} or any(str(metadata.get(flag)).lower() == "true" for flag in flags):
        return ModelKind.V_PREDICTION
    keys = ("modelspec.prediction_type", "modelspec.predict_key", "prediction_type")
    told = (_of_prediction(metadata[key]) for key in keys if metadata.get(key))
    return next((kind for kind in told if kind is not ModelKind.SDXL), ModelKind.SDXL)


def _of_prediction(told: object) -> ModelKind:
    """Of SDXL's shape, by what it predicts; there are several names for each."""
    name = str(told).strip().lower().replace("-", "_")
    if name in {"epsilon", "eps", "noise"}:
        return ModelKind.SDXL
    if "edm" in name:
        return ModelKind.EDM
    if name in {"v", "velocity"} or name.startswith(("v_pred", "vpred")):
        return ModelKind.V_PREDICTION
    return ModelKind.OTHER_PREDICTION


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
    # Not by the pipeline's name: whole bases are saved from pipelines for inpainting or with a ControlNet too.
    unet = _read(File(source, "unet/config.json"), hub)
    by_channels = _of_channels(unet.get("in_channels", 4))
    if by_channels is not ModelKind.SDXL:
        return by_channels
    if unet.get("addition_embed_type") != "text_time":
        return ModelKind.SD1 if unet.get("cross_attention_dim") == 768 else ModelKind.SD2
    return _of_sdxl(source, hub, index, unet)


def _of_sdxl(source: Source, hub: Hub, index: Mapping[str, Any], unet: Mapping[str, Any]) -> ModelKind:
    """What a pipeline is whose UNet hears of sizes, as SDXL's does."""
    if not (_is_there(index, "text_encoder") and _is_there(index, "text_encoder_2")):
        return ModelKind.REFINER
    if unet.get("quantization_config"):
        return ModelKind.QUANTISED
    if unet.get("cross_attention_dim") == _FULL_WIDTH and not _has_all_layers(unet):
        return ModelKind.SMALLER
    try:
        scheduler = _read(File(source, "scheduler/scheduler_config.json"), hub)
    except NotThere:
        return ModelKind.SDXL  # its schedule is SDXL's own in any case
    return _of_scheduler(scheduler)


def _has_all_layers(unet: Mapping[str, Any]) -> bool:
    """Whether a UNet of SDXL's width has its layers too, as far as the config says."""
    depth = unet.get("transformer_layers_per_block", _DEPTH)
    return (
        isinstance(depth, list)
        and depth[1:] == _DEPTH[1:]  # the first block has no transformers
        and unet.get("reverse_transformer_layers_per_block") in (None, _DEPTH[::-1])
        and unet.get("layers_per_block", 2) in (2, [2, 2, 2])
        and unet.get("mid_block_type", _MIDDLE) == _MIDDLE
    )


_DEPTH = [1, 2, 10]
_MIDDLE = "UNetMidBlock2DCrossAttn"


def _of_scheduler(scheduler: Mapping[str, Any]) -> ModelKind:
    sampler = str(scheduler.get("_class_name"))
    if "EDM" in sampler:
        return ModelKind.EDM
    if "FlowMatch" in sampler or scheduler.get("use_flow_sigmas") is True:
        return ModelKind.OTHER_PREDICTION
    return _of_prediction(scheduler.get("prediction_type") or "epsilon")


_PIPELINES = (("Flux", ModelKind.FLUX), ("StableDiffusion3", ModelKind.SD3))


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


def _of_channels(count: object) -> ModelKind:
    known = {"4": ModelKind.SDXL, "9": ModelKind.INPAINTING, "8": ModelKind.EDITING}
    return known.get(str(count), ModelKind.UNKNOWN)


def _is_there(index: Mapping[str, Any], component: str) -> bool:
    """A pipeline names the components that it lacks as [null, null]."""
    named = index.get(component)
    return isinstance(named, list) and any(named)


def _read(file: File, hub: Hub) -> Mapping[str, Any]:
    try:
        return read_config(hub.fetch(file))
    except (NotThere, Unreachable):
        raise
    except DemoError as error:
        raise DemoError(f"{file.source} can't be used: {error}") from error
