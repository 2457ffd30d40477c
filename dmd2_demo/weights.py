"""Parts become modules here: their files are fetched, read, and made weights of one device and one type."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import LCMScheduler
from torch import nn

from dmd2_demo import modules, single_file
from dmd2_demo.disk import default_cache
from dmd2_demo.files import Choice, config, configs, encoder_weights, needed, tokenizer_files, weights
from dmd2_demo.header import bytes_in, read_header
from dmd2_demo.hub import Hub
from dmd2_demo.kind import require_sdxl
from dmd2_demo.lora import MergeableUNet
from dmd2_demo.modules import LoadedTextEncoders, Placing
from dmd2_demo.parts import Adapter, LoraUNet, Part, Scheduler, TextEncoders, UNet, Vae
from dmd2_demo.progress import Progress, Report, silent
from dmd2_demo.sources import File, SingleFile, Source
from dmd2_demo.tensors import as_safetensors, read_tensors, size_of


class Weights:
    """Loads parts from `hub` onto `device` as `dtype`. `converted` keeps what pickles were converted to."""

    def __init__(self, hub: Hub, device: torch.device, dtype: torch.dtype, converted: Path | None = None) -> None:
        self._hub = hub
        self._placing = Placing(device, dtype)
        self._converted = converted or default_cache() / "dmd2-demo"

    def fetch(self, part: Part, report: Report = silent) -> int:
        """Makes every file of the part local. Returns about how many bytes it will take once loaded.

        DemoError, before anything large is fetched, where the part is of something else than SDXL.
        """
        if isinstance(part, LoraUNet):
            require_sdxl(part.unet.source, self._hub)
        elif isinstance(part, UNet | TextEncoders):
            require_sdxl(part.source, self._hub)
        total = 0
        choices = needed(part)
        for choice, path in zip(choices, self._hub.fetch_all(choices, f"the {part.title}", report), strict=True):
            total += self._bytes(path)
            if isinstance(part, LoraUNet) and path.suffix == ".safetensors" and choice != (part.lora,):
                total += self._bytes(path)  # The base's weights as they were read, beside the merged ones.
        return total

    def load(self, part: Part, report: Report = silent) -> Any:
        """The part's module: see the part's class for which. Fetches first what is not local."""
        report(Progress(f"Loading the {part.title}"))
        match part:
            case UNet():
                return self._unet(part)
            case LoraUNet():
                lora = read_tensors(self._hub.fetch(part.lora), self._placing.device)
                return MergeableUNet(self._unet(part.unet), lora)
            case TextEncoders():
                return self._text_encoders(part)
            case Vae():
                return self._of(modules.vae, config(part.source, part.folder), needed(part)[1])
            case Adapter():
                return self._of(modules.adapter, config(part.source, ""), needed(part)[1])
            case Scheduler():
                path = self._hub.first(needed(part)[0])
                return LCMScheduler.from_config(json.loads(path.read_text()))

    def _of(self, build: Any, config_file: File, choice: Choice) -> Any:
        weights_file = as_safetensors(self._hub.first(choice), self._converted)
        return build(self._hub.fetch(config_file), weights_file, self._placing)

    def _unet(self, part: UNet) -> Any:
        config_file = config(configs(part.source), "unet")
        if part.weights is not None:
            return self._of(modules.unet, config_file, (part.weights,))
        if isinstance(part.source, SingleFile):
            folder = self._hub.fetch(config_file).parent.parent
            return single_file.unet(folder, part.source.path, self._placing)
        return self._of(modules.unet, config_file, weights(part.source, "unet"))

    def _text_encoders(self, part: TextEncoders) -> LoadedTextEncoders:
        source = configs(part.source)
        one, two = (self._tokenizer(source, folder) for folder in ("tokenizer", "tokenizer_2"))
        folders = ("text_encoder", "text_encoder_2")
        configs_at = [self._hub.fetch(config(source, folder)) for folder in folders]
        if isinstance(part.source, SingleFile):
            encoders = single_file.text_encoders(configs_at[0].parent.parent, part.source.path, self._placing)
            return LoadedTextEncoders(one, two, *encoders)
        encoder_one, encoder_two = (
            modules.text_encoder(at, self._hub.first(encoder_weights(part.source, folder)), self._placing)
            for at, folder in zip(configs_at, folders, strict=True)
        )
        return LoadedTextEncoders(one, two, encoder_one, encoder_two)

    def _tokenizer(self, source: Source, folder: str) -> Any:
        files = [self._hub.first(choice) for choice in tokenizer_files(source, folder)]
        return modules.tokenizer(files[0].parent)

    def _bytes(self, path: Path) -> int:
        if path.suffix == ".safetensors":
            return bytes_in(read_header(path), self._placing.dtype.itemsize)
        if path.suffix == ".bin":
            return path.stat().st_size * self._placing.dtype.itemsize // 2
        return 0


def sizeof(loaded: Any) -> int:
    """Bytes of memory that a loaded part takes."""
    match loaded:
        case MergeableUNet():
            return size_of(loaded.tensors())
        case LoadedTextEncoders():
            return sizeof(loaded.text_encoder) + sizeof(loaded.text_encoder_2)
        case nn.Module():
            return size_of([*loaded.parameters(), *loaded.buffers()])
        case _:
            return 0
