"""How files are named in the layouts that parts come in: known without reading any of them."""

from __future__ import annotations

import re
from pathlib import Path

from dmd2_demo.errors import DemoError
from dmd2_demo.models.content import read_json
from dmd2_demo.models.sources import File, Folder, HubRepo, PipelineSource, SingleFile, Source

Alternatives = tuple[File, ...]
"""Files that serve the same purpose, the best first: the first that exists is used."""

_DIFFUSERS = ("diffusion_pytorch_model", "diffusion_pytorch_model")
_TRANSFORMERS = ("model", "pytorch_model")
# In the order they are wanted: half precision, what has no name, and others that are made half precision on the way.
_VARIANTS = ("fp16", None, "bf16", "fp32")


def configs(source: PipelineSource) -> Source:
    """Where the configs and tokenizers of a pipeline lie."""
    return source.config if isinstance(source, SingleFile) else source


def config(source: Source, folder: str) -> File:
    """The config of a module in a folder of a source ("" at the top)."""
    return File(source, f"{folder}/config.json" if folder else "config.json")


def weights(source: Source, folder: str, stems: tuple[str, str] = _DIFFUSERS) -> Alternatives:
    """The weights in a folder of a source ("" at the top), in any of the ways that they are published.

    Half precision before other variants, whole before cut into several files, which an index lists (see `shards`);
    pickles come last, and not at all from a repository that a visitor named. `stems` are the names that the libraries
    give to `.safetensors` and to `.bin` files.
    """
    names = [
        name
        for stem, suffix in zip(stems, _suffixes(source), strict=False)
        for each in _VARIANTS
        for name in _named(f"{folder}/{stem}" if folder else stem, suffix, each)
    ]
    return tuple(File(source, name) for name in names)


def _suffixes(source: Source) -> tuple[str, ...]:
    """What files of weights end in. What a visitor named is no pickle: those are for whom the operator trusts."""
    return ("safetensors",) if isinstance(source, HubRepo) and source.anonymous else ("safetensors", "bin")


def _named(stem: str, suffix: str, variant: str | None) -> tuple[str, ...]:
    """The file of a variant and its indices; libraries of different age put the variant into different places."""
    if variant is None:
        return f"{stem}.{suffix}", f"{stem}.{suffix}.index.json"
    return (
        f"{stem}.{variant}.{suffix}",
        f"{stem}.{suffix}.index.{variant}.json",
        f"{stem}.{variant}.{suffix}.index.json",
    )


def encoder_weights(source: Source, folder: str) -> Alternatives:
    """The weights of one text encoder."""
    return weights(source, folder, _TRANSFORMERS)


def pipeline_weights(source: PipelineSource, folder: str) -> Alternatives:
    """The weights of a pipeline's module: in its folder, or within the single file."""
    return whole(source) if isinstance(source, SingleFile) else weights(source, folder)


def whole(source: SingleFile) -> Alternatives:
    """The single file itself."""
    return (File(Folder(source.path.parent), source.path.name),)


def tokenizer(source: Source, folder: str) -> tuple[Alternatives, ...]:
    """A tokenizer: in one file as newer libraries write it, or in SDXL's three."""
    vocabulary = (File(source, f"{folder}/vocab.json"), File(source, f"{folder}/tokenizer.json"))
    merges = (File(source, f"{folder}/merges.txt"), File(source, f"{folder}/tokenizer.json"))
    return ((File(source, f"{folder}/tokenizer_config.json"),), vocabulary, merges)


def is_weights(files: Alternatives) -> bool:
    """Whether these files hold weights, rather than a config or a tokenizer."""
    return files[0].name.endswith((".safetensors", ".bin"))


def shards(files: Alternatives, path: Path) -> Alternatives:
    """The files that an index lists, which `path` was found for `files` as; none where `path` is no index."""
    if path.suffix != ".json":
        return ()
    try:
        names = sorted(set(read_json(path)["weight_map"].values()))
    except (DemoError, KeyError, TypeError, AttributeError):
        names = []
    part = rf"[\w-]+(\.[\w-]+)*\.({'|'.join(_suffixes(files[0].source))})"
    if not names or not all(re.fullmatch(part, str(name)) for name in names):
        raise DemoError(f"{path.name} of {files[0].source} is no index of weights.")
    folder = files[0].name.rpartition("/")[0]
    return tuple(File(files[0].source, f"{folder}/{name}" if folder else name) for name in names)
