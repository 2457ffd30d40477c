"""Parts become modules here: their files are fetched, read, and made weights of one device and one type."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import LCMScheduler
from torch import nn

from dmd2_demo.hub.disk import own_cache
from dmd2_demo.hub.hub import Hub
from dmd2_demo.hub.model_kind import require_sdxl
from dmd2_demo.hub.safetensors_header import bytes_in, read_header
from dmd2_demo.models.files import Choice, config, configs, encoder_weights, is_weights, needed, shards, tokenizer_files
from dmd2_demo.models.parts import Adapter, LoraUNet, Part, Scheduler, TextEncoders, UNet, Vae
from dmd2_demo.models.sources import File, SingleFile, Source
from dmd2_demo.progress import Progress, Report, silent
from dmd2_demo.weights import modules, single_file
from dmd2_demo.weights.lora import MergeableUNet, require_fit
from dmd2_demo.weights.modules import LoadedTextEncoders, Placing
from dmd2_demo.weights.pickles import Pickles
from dmd2_demo.weights.tensors import read_tensors, size_of


class Weights:
    """Loads parts from `hub` onto `device` as `dtype`. `cache` keeps what pickles are converted to."""

    def __init__(self, hub: Hub, device: torch.device, dtype: torch.dtype, cache: Path | None = None) -> None:
        self._hub = hub
        self._placing = Placing(device, dtype)
        self._pickles = Pickles(cache or own_cache())
        self._fitting: set[LoraUNet] = set()

    def fetch(self, part: Part, report: Report = silent) -> int:
        """Makes every file of the part local. Returns about how many bytes it will take on the device once loaded.

        DemoError, before the weights of a base are fetched, where it is no SDXL base or the LoRA does not fit it.
        """
        if isinstance(part, LoraUNet):
            lora = self._hub.fetch(part.lora, report)
            self._require_fit(part, lora)
            unet = self.fetch(part.unet, report)
            # A CPU's own memory also holds the weights that scales are merged from.
            return unet if self._placing.device.type != "cpu" else 2 * unet + lora.stat().st_size
        if isinstance(part, UNet | TextEncoders):
            require_sdxl(part.source, self._hub)
        choices = needed(part)
        self._hub.fetch_all(choices, f"the {part.title}", report)
        files = [path for choice in choices if is_weights(choice) for path in self._tensor_files(choice, report)]
        prefix = single_file.prefix(part)
        return sum(bytes_in(read_header(path), self._placing.dtype.itemsize, prefix) for path in files)

    def load(self, part: Part, report: Report = silent) -> Any:
        """The part's modules. Fetches first what is not local.

        A UNet is a UNet2DConditionModel, a LoraUNet a MergeableUNet, TextEncoders a LoadedTextEncoders, a Vae an
        AutoencoderKL, an Adapter a T2IAdapter, and a Scheduler an LCMScheduler. DemoError where files don't fit.
        """
        report(Progress(f"Loading the {part.title}"))
        match part:
            case UNet():
                return self._unet(part)
            case LoraUNet():
                lora = read_tensors(self._hub.fetch(part.lora), torch.device("cpu"))
                # Copies: what is read as it is stored stays a map of the file, and a new scale must not read it.
                return MergeableUNet(self._unet(part.unet), {name: tensor.clone() for name, tensor in lora.items()})
            case TextEncoders():
                return self._text_encoders(part)
            case Vae():
                return self._model(modules.vae, *needed(part))
            case Adapter():
                return self._model(modules.adapter, *needed(part))
            case Scheduler():
                path = self._hub.first(needed(part)[0])
                return LCMScheduler.from_config(json.loads(path.read_text()))

    def _require_fit(self, part: LoraUNet, lora: Path) -> None:
        if part not in self._fitting:
            require_sdxl(part.unet.source, self._hub)
            unet = modules.unet_without_weights(self._hub.first(needed(part.unet)[0]))
            require_fit(unet, {name: tensor.shape for name, tensor in read_header(lora).items()})
            self._fitting.add(part)

    def _model(self, build: modules.Build, config_file: Choice, weights_file: Choice) -> Any:
        return build(self._hub.first(config_file), self._tensor_files(weights_file), self._placing)

    def _tensor_files(self, choice: Choice, report: Report = silent) -> tuple[Path, ...]:
        """The safetensors files that hold the weights of `choice`."""
        path = self._hub.first(choice, report)
        parts = shards(choice, path)
        if parts:
            return self._hub.fetch_all(((part,) for part in parts), f"the parts of {path.name}", report)
        return (self._pickles.as_safetensors(path, report),)

    def _unet(self, part: UNet) -> Any:
        if part.weights is None and isinstance(part.source, SingleFile):
            return single_file.unet(self._folder_of_configs(part.source), part.source.path, self._placing)
        return self._model(modules.unet, *needed(part))

    def _text_encoders(self, part: TextEncoders) -> LoadedTextEncoders:
        source = configs(part.source)
        tokenizer, tokenizer_2 = (self._tokenizer(source, folder) for folder in ("tokenizer", "tokenizer_2"))
        if isinstance(part.source, SingleFile):
            folder = self._folder_of_configs(part.source)
            one, two = single_file.text_encoders(folder, part.source.path, self._placing)
            return LoadedTextEncoders(tokenizer, tokenizer_2, one, two)
        one, two = (
            self._model(modules.text_encoder, (config(source, folder),), encoder_weights(source, folder))
            for folder in ("text_encoder", "text_encoder_2")
        )
        return LoadedTextEncoders(tokenizer, tokenizer_2, one, two)

    def _tokenizer(self, source: Source, folder: str) -> Any:
        files = [self._hub.first(choice) for choice in tokenizer_files(source, folder)]
        return modules.tokenizer(files[0])

    def _folder_of_configs(self, source: SingleFile) -> Path:
        return self._hub.fetch(File(source.config, "unet/config.json")).parent.parent


def sizeof(loaded: Any) -> int:
    """Bytes of memory that a loaded part takes on its device."""
    match loaded:
        case MergeableUNet():
            return size_of(loaded.tensors())
        case LoadedTextEncoders():
            return sizeof(loaded.text_encoder) + sizeof(loaded.text_encoder_2)
        case nn.Module():
            return size_of([*loaded.parameters(), *loaded.buffers()])
        case _:
            return 0
