"""Parts become modules here: their files are fetched, read, and made weights of one device and one type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_never

import torch
from diffusers import LCMScheduler
from torch import nn

from dmd2_demo.device.host_memory import HostMemory, host_memory
from dmd2_demo.errors import DemoError
from dmd2_demo.hub.disk import own_cache
from dmd2_demo.hub.hub import Hub
from dmd2_demo.hub.model_kind import require_sdxl
from dmd2_demo.hub.safetensors_header import bytes_in, read_header
from dmd2_demo.models import files
from dmd2_demo.models.catalogue import SDXL_CONFIGS
from dmd2_demo.models.config_file import read_config
from dmd2_demo.models.files import Alternatives
from dmd2_demo.models.parts import Adapter, Lora, Part, Pristine, Scheduler, TextEncoders, TinyVae, UNet, Vae
from dmd2_demo.models.sources import SingleFile, Source
from dmd2_demo.progress import Report, in_bytes, silent
from dmd2_demo.weights import modules, single_file
from dmd2_demo.weights.lora import Mergeable
from dmd2_demo.weights.lora_loader import LoraLoader
from dmd2_demo.weights.modules import LoadTarget
from dmd2_demo.weights.pickles import Pickles
from dmd2_demo.weights.tensors import read_all_tensors


@dataclass(frozen=True)
class Loaded:
    """A part in memory: `module` is what a pipeline is assembled from, `networks` are those in it that compute."""

    module: Any
    networks: tuple[nn.Module, ...] = ()


class PartLoader:
    """Loads parts from `hub` onto `device` as `dtype`.

    LoRA scales are merged on `merge_device`, where that is not `device`. `cache` keeps what pickles are converted to.
    `host` tells the memory of the machine.
    """

    def __init__(
        self,
        hub: Hub,
        device: torch.device,
        dtype: torch.dtype,
        cache: Path | None = None,
        merge_device: torch.device | None = None,
        host: Callable[[], HostMemory] = host_memory,
    ) -> None:
        self._hub = hub
        self._target = LoadTarget(device, dtype)
        self._merge_device = merge_device or device
        self._host = host
        self._pickles = Pickles(cache or own_cache())
        self._loras = LoraLoader(hub, dtype, self._look, self._holds)

    def fetch(self, part: Part, report: Report = silent) -> int:
        """Makes every file of the part local. Returns about how many bytes it will take on the device once loaded.

        DemoError, before the weights of a base are fetched, where it is no SDXL base, some of its files can't be had,
        their configs can't be used, or the LoRA does not fit it.
        """
        on_cpu = self._target.device.type == "cpu"
        if isinstance(part, Lora):
            copied = self._loras.require_fit(part)
            # What is merged from lies in the host's memory, which is a CPU's own.
            size = self._hub.fetch(part.file, report).stat().st_size
            return size + copied if on_cpu else 0
        if isinstance(part, Pristine):
            size = self._bytes(part.unet, None)
            return size if on_cpu and self._holds(size) else 0
        if isinstance(part, UNet | TextEncoders):
            self._look(part)
        most = _most_numbers(part)
        self._hub.fetch_all(part.files(), f"the {part.title}", report, 4 * most)
        size = self._bytes(part, self._target.dtype.itemsize, report)
        if size > self._target.dtype.itemsize * most:
            raise DemoError(f"The {part.title} of {part.origin} would take {in_bytes(size)}: more than SDXL's.")
        return size

    def load(self, part: Part) -> Loaded:
        """The part's modules. Fetches first what is not local.

        A UNet is a Mergeable UNet2DConditionModel, a Pristine its weights by name, a Lora a LoadedLora, TextEncoders
        a LoadedTextEncoders, a Vae an AutoencoderKL, a TinyVae an AutoencoderTiny, an Adapter a T2IAdapter, and a
        Scheduler an LCMScheduler. DemoError where files don't fit.
        """
        match part:
            case UNet():
                unet = self._unet(part)
                return Loaded(Mergeable(unet, self._merge_device), (unet,))
            case Pristine():
                return Loaded(self._pristine(part.unet))
            case Lora():
                return Loaded(self._loras.load(part))
            case TextEncoders():
                return self._text_encoders(part)
            case Vae():
                return _network(self._model(modules.vae, *part.files()))
            case TinyVae():
                return _network(self._model(modules.tiny_vae, *part.files()))
            case Adapter():
                return _network(self._model(modules.adapter, *part.files()))
            case Scheduler():
                return Loaded(scheduler())
        assert_never(part)

    def _bytes(
        self, part: UNet | TextEncoders | Vae | TinyVae | Adapter | Scheduler, each: int | None, report: Report = silent
    ) -> int:
        """What the part's weights take with so many bytes a number; None: as many as in their files."""
        choices = [choice for choice in part.files() if files.is_weights(choice)]
        found = [path for choice in choices for path in self._tensor_files(choice, report, 4 * _most_numbers(part))]
        return sum(bytes_in(read_header(path).tensors, each, single_file.prefix(part)) for path in found)

    def _holds(self, size: int) -> bool:
        """Whether the host's memory has room to spare for so many bytes that a map of their file gives as well.

        Beside a GPU nobody counts them: each takes no more than a part of what the others left.
        """
        host = self._host()
        return size <= min(host.total // 8, host.available // 4)

    def _pristine(self, part: UNet) -> dict[str, torch.Tensor]:
        """The UNet's weights in their files' own type, to merge scales from.

        Held in memory where that is large: nothing is read again, and the file may change. Else they are maps of their
        file, which the system reads again where other work has taken the memory. Each map is private: nobody else
        writes to it.
        """
        cpu = torch.device("cpu")
        if part.weights is None and isinstance(part.source, SingleFile):
            tensors = single_file.unet_tensors(self._folder_of_configs(part.source), part.source.path, cpu)
        else:
            tensors = read_all_tensors(self._tensor_files(part.files()[1]), cpu)
        if self._holds(sum(tensor.nbytes for tensor in tensors.values())):
            return {name: tensor.clone() for name, tensor in tensors.items()}
        return tensors

    def _look(self, part: UNet | TextEncoders) -> None:
        """Raises DemoError where the base, or what else it takes to use the part, is seen to be of no use.

        Reads configs and asks what there is. Both text encoders are looked at with a UNet: they come after its 5 GB.
        """
        require_sdxl(part.source, self._hub)
        encoders = TextEncoders(part.source)
        self._hub.require((*part.files(), *encoders.files()))
        source = files.configs(part.source)
        unet, *both = (self._hub.fetch(files.config(source, folder)) for folder in ("unet", *encoders.folders))
        modules.require_together(unet, both)

    def _model(self, build: modules.Build, config: Alternatives, weights: Alternatives) -> Any:
        return build(self._hub.first(config), self._tensor_files(weights), self._target)

    def _tensor_files(
        self, weights: Alternatives, report: Report = silent, most: int | None = None
    ) -> tuple[Path, ...]:
        """The safetensors files that hold those weights. DemoError where more than `most` bytes would have to come."""
        path = self._hub.first(weights, report)
        parts = files.shards(weights, path)
        paths = (
            self._hub.fetch_all(((part,) for part in parts), f"the parts of {path.name}", report, most)
            if parts
            else (path,)
        )
        return tuple(self._pickles.as_safetensors(path, report) for path in paths)

    def _unet(self, part: UNet) -> Any:
        if part.weights is None and isinstance(part.source, SingleFile):
            return single_file.unet(self._folder_of_configs(part.source), part.source.path, self._target)
        return self._model(modules.unet, *part.files())

    def _text_encoders(self, part: TextEncoders) -> Loaded:
        source = files.configs(part.source)
        if isinstance(part.source, SingleFile):
            folder = self._folder_of_configs(part.source)
            one, two = single_file.text_encoders(folder, part.source.path, self._target)
        else:
            one, two = (
                self._model(modules.text_encoder, (files.config(source, name),), files.encoder_weights(source, name))
                for name in part.folders
            )
        # Each token has a place of its own in both: CLIP's 77, whatever a tokenizer's config says or leaves out.
        places = min(encoder.config.max_position_embeddings for encoder in (one, two))
        tokenizer, tokenizer_2 = (self._tokenizer(source, folder, places) for folder in part.tokenizer_folders)
        for name, known, encoder in (("tokenizer", tokenizer, one), ("tokenizer_2", tokenizer_2, two)):
            if max(known.get_vocab().values(), default=0) >= encoder.config.vocab_size:
                raise DemoError(f"The {name} of {part.source} is for another text encoder: it has more tokens.")
            if None in (known.bos_token_id, known.eos_token_id, known.pad_token_id):
                raise DemoError(f"The {name} of {part.source} lacks a token that begins, ends or fills a prompt.")
        merging = (Mergeable(one, self._merge_device), Mergeable(two, self._merge_device))
        return Loaded(modules.LoadedTextEncoders(tokenizer, tokenizer_2, one, two, merging), (one, two))

    def _tokenizer(self, source: Source, folder: str, length: int) -> Any:
        paths = [self._hub.first(choice) for choice in files.tokenizer(source, folder)]
        return modules.tokenizer(paths[0], length)

    def _folder_of_configs(self, source: SingleFile) -> Path:
        return self._hub.fetch(files.config(source.config, "unet")).parent.parent


def scheduler() -> LCMScheduler:
    """What DMD2 was made for: SDXL's plain schedule, as the model card's recipe takes it from SDXL's own config.

    A base's config may say other things, which are for other samplers or of no use here; see `model_kind`.
    """
    path = SDXL_CONFIGS.path / "scheduler" / "scheduler_config.json"
    config = read_config(path)
    del config["skip_prk_steps"]  # for another scheduler; this one would warn of it each time
    return LCMScheduler.from_config(config)


def _most_numbers(part: Part) -> int:
    """That a stranger's file may hold for the part: some more than SDXL's has, and what a config or tokenizer takes."""
    return part.parameters * 3 // 2 + 50_000_000


def _network(module: nn.Module) -> Loaded:
    return Loaded(module, (module,))
