"""Which files each part needs: known without reading any of them."""

from __future__ import annotations

from dmd2_demo.parts import Adapter, LoraUNet, Part, Scheduler, TextEncoders, UNet, Vae
from dmd2_demo.sources import File, Folder, PipelineSource, SingleFile, Source

Choice = tuple[File, ...]
"""Files that serve the same purpose, the best first: the first that exists is used."""

_DIFFUSERS = "diffusion_pytorch_model"
_TRANSFORMERS = "model"


def configs(source: PipelineSource) -> Source:
    """Where the configs and tokenizers of a pipeline lie."""
    return source.config if isinstance(source, SingleFile) else source


def weights(source: Source, folder: str, stem: str = _DIFFUSERS, variant: str | None = "fp16") -> Choice:
    """The weights in a folder of a source ("" at the top): half precision where there is such a variant."""
    path = f"{folder}/" if folder else ""
    plain = File(source, f"{path}{stem}.safetensors")
    return (File(source, f"{path}{stem}.{variant}.safetensors"), plain) if variant else (plain,)


def encoder_weights(source: Source, folder: str) -> Choice:
    """The weights of one text encoder."""
    return weights(source, folder, _TRANSFORMERS)


def config(source: Source, folder: str) -> File:
    """The config of a module in a folder of a source ("" at the top)."""
    return File(source, f"{folder}/config.json" if folder else "config.json")


def tokenizer_files(source: Source, folder: str) -> tuple[Choice, ...]:
    """A tokenizer: in one file as newer libraries write it, or in SDXL's three."""
    vocabulary = (File(source, f"{folder}/vocab.json"), File(source, f"{folder}/tokenizer.json"))
    merges = (File(source, f"{folder}/merges.txt"), File(source, f"{folder}/tokenizer.json"))
    return ((File(source, f"{folder}/tokenizer_config.json"),), vocabulary, merges)


def needed(part: Part) -> tuple[Choice, ...]:
    """All files of a part."""
    match part:
        case LoraUNet():
            return (*needed(part.unet), (part.lora,))
        case UNet():
            own = (config(configs(part.source), "unet"),)
            if part.weights is not None:
                return (own, (part.weights,))
            return (own, *_of_pipeline(part.source, "unet"))
        case TextEncoders():
            source = configs(part.source)
            folders = ("text_encoder", "text_encoder_2")
            return (
                *(choice for folder in ("tokenizer", "tokenizer_2") for choice in tokenizer_files(source, folder)),
                *((config(source, folder),) for folder in folders),
                *(
                    (_whole(part.source),)
                    if isinstance(part.source, SingleFile)
                    else (encoder_weights(part.source, folder) for folder in folders)
                ),
            )
        case Vae():
            return ((config(part.source, part.folder),), weights(part.source, part.folder, variant=part.variant))
        case Adapter():
            return ((config(part.source, ""),), weights(part.source, ""))
        case Scheduler():
            return ((File(configs(part.source), "scheduler/scheduler_config.json"),),)


def _of_pipeline(source: PipelineSource, folder: str) -> tuple[Choice, ...]:
    return (_whole(source),) if isinstance(source, SingleFile) else (weights(source, folder),)


def _whole(source: SingleFile) -> Choice:
    return (File(Folder(source.path.parent), source.path.name),)
