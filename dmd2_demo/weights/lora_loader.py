"""LoRA files become what is merged: seen to fit their base by the header alone, then read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from dmd2_demo.errors import DemoError
from dmd2_demo.hub.hub import Hub
from dmd2_demo.hub.lora_kind import LoraKind, require_style
from dmd2_demo.hub.safetensors_header import read_header
from dmd2_demo.models import files
from dmd2_demo.models.parts import Lora, TextEncoders, UNet
from dmd2_demo.weights import modules
from dmd2_demo.weights.lora import LoadedLora, alike
from dmd2_demo.weights.lora_forms import Targets, read_lora, require_fit_of
from dmd2_demo.weights.tensors import read_tensors


class LoraLoader:
    """Loads LoRAs from `hub` for networks of `dtype`.

    `look` raises DemoError where a base is of no use, `holds` tells whether the host has memory to spare for so many
    bytes.
    """

    def __init__(
        self, hub: Hub, dtype: torch.dtype, look: Callable[[UNet], None], holds: Callable[[int], bool]
    ) -> None:
        self._hub, self._dtype, self._look, self._holds = hub, dtype, look, holds
        self._fitting: dict[Lora, int] = {}

    def require_fit(self, part: Lora) -> int:
        """The bytes of the text encoders' weights that it changes, which are copied for as long as it does.

        DemoError where a LoRA is of no use on its base. Reads configs and the LoRA's header.
        """
        if part in self._fitting:
            return self._fitting[part]
        self._look(UNet(part.base))
        is_style = part.distillation is not None
        header = require_style(part, self._hub) if is_style else read_header(self._hub.fetch(part.file))
        with _about(part):
            targets = self._targets(part)
            lora = require_fit_of(header, targets)
        both = ((targets.text_encoder, lora.text_encoder), (targets.text_encoder_2, lora.text_encoder_2))
        numbers = sum(network.get_submodule(name).weight.numel() for network, layers in both for name in layers)
        self._fitting[part] = numbers * self._dtype.itemsize
        return self._fitting[part]

    def load(self, part: Lora) -> LoadedLora:
        """What it adds to the networks of its base. DemoError where it is DMD2's own under another name."""
        path = self._hub.fetch(part.file)
        tensors = read_tensors(path, torch.device("cpu"))
        if self._holds(sum(tensor.nbytes for tensor in tensors.values())):
            # What is read as it is stored stays a map of the file, and a new scale must not read it.
            tensors = {name: tensor.clone() for name, tensor in tensors.items()}
        with _about(part):
            if not all(tensor.float().isfinite().all() for tensor in tensors.values()):
                raise DemoError("it is damaged: some of its weights are no numbers.")
            targets = self._targets(part)
            lora = read_lora(tensors, read_header(path).metadata, targets)
            own = part.distillation
            if own is not None and self._hub.holds([(own,)]):
                mapped = read_tensors(self._hub.fetch(own), torch.device("cpu"))
                if alike(lora.unet, read_lora(mapped, {}, targets).unet):
                    raise DemoError(f"it is {LoraKind.DISTILLATION}.")
            return lora

    def _targets(self, part: Lora) -> Targets:
        """The networks of its base without weights."""
        source = files.configs(part.base)
        unet, *both = (self._hub.fetch(files.config(source, name)) for name in ("unet", *TextEncoders.folders))
        return Targets(modules.unet_without_weights(unet), *map(modules.text_encoder_without_weights, both))


@contextmanager
def _about(lora: Lora) -> Iterator[None]:
    """Names the LoRA in what its own reading says: a visitor may have chosen several."""
    try:
        yield
    except DemoError as error:
        raise DemoError(f"{lora.file}: {error}") from error
