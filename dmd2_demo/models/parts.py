"""The parts a pipeline is put together from. Frozen and compared by value: two equal parts are one module."""

from __future__ import annotations

from dataclasses import dataclass

from dmd2_demo.models.sources import File, PipelineSource, Source


@dataclass(frozen=True)
class TextEncoders:
    """Both CLIP text encoders of a pipeline with their tokenizers."""

    source: PipelineSource
    title = "text encoders"

    @property
    def origin(self) -> str:
        """Where the weights come from, for people."""
        return str(self.source)


@dataclass(frozen=True)
class UNet:
    """A denoiser. Its config, and its weights where `weights` names no other file, are those of `source`."""

    source: PipelineSource
    weights: File | None = None
    title = "UNet"

    @property
    def origin(self) -> str:
        return str(self.weights or self.source)


@dataclass(frozen=True)
class LoraUNet:
    """A denoiser that can carry `lora` at any scale, which is chosen anew for each picture."""

    unet: UNet
    lora: File
    title = "UNet with LoRA"

    @property
    def origin(self) -> str:
        return f"{self.unet.origin} + {self.lora}"


@dataclass(frozen=True)
class Vae:
    """The autoencoder in `folder` of a source ("" where it lies at the top)."""

    source: Source
    folder: str = "vae"
    variant: str | None = "fp16"
    title = "VAE"

    @property
    def origin(self) -> str:
        return str(self.source)


@dataclass(frozen=True)
class Adapter:
    """A T2I-Adapter."""

    source: Source
    title = "adapter"

    @property
    def origin(self) -> str:
        return str(self.source)


@dataclass(frozen=True)
class Scheduler:
    """An LCMScheduler with the noise schedule that `source` was trained on."""

    source: PipelineSource
    title = "scheduler"

    @property
    def origin(self) -> str:
        return str(self.source)


Part = TextEncoders | UNet | LoraUNet | Vae | Adapter | Scheduler


@dataclass(frozen=True)
class PipelineSpec:
    """What a request needs. What changes weights or memory stands here; what changes one call, in the request."""

    text_encoders: TextEncoders
    unet: UNet | LoraUNet
    vae: Vae
    scheduler: Scheduler
    adapter: Adapter | None = None

    def parts(self) -> tuple[Part, ...]:
        """All parts, largest first, so that a load that can't fit fails before it wastes time."""
        always: tuple[Part, ...] = (self.unet, self.text_encoders, self.vae, self.scheduler)
        return always if self.adapter is None else (*always, self.adapter)
