"""Which files each part needs: known without reading any of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

from dmd2_demo.errors import DemoError
from dmd2_demo.models.parts import Adapter, LoraUNet, Part, Scheduler, TextEncoders, UNet, Vae
from dmd2_demo.models.sources import File, Folder, PipelineSource, SingleFile, Source

Choice = tuple[File, ...]
"""Files that serve the same purpose, the best first: the first that exists is used."""

_DIFFUSERS = "diffusion_pytorch_model"
_TRANSFORMERS = "model"


def configs(source: PipelineSource) -> Source:
    """Where the configs and tokenizers of a pipeline lie."""
    return source.config if isinstance(source, SingleFile) else source


def weights(source: Source, folder: str, stem: str = _DIFFUSERS, variant: str | None = "fp16") -> Choice:
    """The weights in a folder of a source ("" at the top): half precision where there is such a variant.

    Weights that are cut into several files are found by their index: see `shards`.
    """
    path = f"{folder}/{stem}" if folder else stem
    plain = (f"{path}.safetensors", f"{path}.safetensors.index.json")
    names = (f"{path}.{variant}.safetensors", *plain) if variant else plain
    return tuple(File(source, name) for name in names)


def is_weights(choice: Choice) -> bool:
    """Whether these files hold weights, rather than a config or a tokenizer."""
    return choice[0].name.endswith((".safetensors", ".bin"))


def shards(choice: Choice, path: Path) -> Choice:
    """The files that an index lists, which `path` was found for `choice` as; none where `path` is no index."""
    if path.suffix != ".json":
        return ()
    try:
        names = sorted(set(json.loads(path.read_text())["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError):
        names = []
    if not names or not all(re.fullmatch(r"[\w-]+(\.[\w-]+)*\.safetensors", name) for name in names):
        raise DemoError(f"{path.name} of {choice[0].source} is no index of weights.")
    folder = choice[0].name.rpartition("/")[0]
    return tuple(File(choice[0].source, f"{folder}/{name}" if folder else name) for name in names)


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
