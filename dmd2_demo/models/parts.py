"""The parts a pipeline is put together from. Frozen and compared by value: two equal parts are one module.

Each says what is known of it before it is loaded: `title` and `origin` for people, `files()`, and `working`, the bytes
that its work at 1024 x 1024 takes beside its weights in half precision (estimates from the shapes, not measured on a
GPU), and `parameters`, how many numbers its weights are in SDXL's shape, 0 where it has none.
"""

from __future__ import annotations

from dataclasses import dataclass

from dmd2_demo.models import files
from dmd2_demo.models.files import Alternatives
from dmd2_demo.models.sources import File, PipelineSource, SingleFile, Source

_LITTLE = 200_000_000

LARGEST_UNTILED = 1024 * 1536
"""Pixels that a VAE decodes in one piece, as SDXL's own sizes are. The tiles of larger pictures are blended."""


@dataclass(frozen=True)
class TextEncoders:
    """Both CLIP text encoders of a pipeline with their tokenizers."""

    source: PipelineSource
    title = "text encoders"
    working = _LITTLE
    parameters = 123_060_480 + 694_659_840
    folders = ("text_encoder", "text_encoder_2")
    tokenizer_folders = ("tokenizer", "tokenizer_2")

    @property
    def origin(self) -> str:
        return str(self.source)

    def files(self) -> tuple[Alternatives, ...]:
        source = files.configs(self.source)
        weights = (
            (files.whole(self.source),)
            if isinstance(self.source, SingleFile)
            else (files.encoder_weights(self.source, folder) for folder in self.folders)
        )
        return (
            *(choice for folder in self.tokenizer_folders for choice in files.tokenizer(source, folder)),
            *((files.config(source, folder),) for folder in self.folders),
            *weights,
        )


@dataclass(frozen=True)
class UNet:
    """A denoiser. Its config, and its weights where `weights` names no other file, are those of `source`."""

    source: PipelineSource
    weights: File | None = None
    title = "UNet"
    working = 1_500_000_000
    parameters = 2_567_463_684

    @property
    def origin(self) -> str:
        return str(self.weights or self.source)

    @property
    def stem(self) -> str:
        """Its name as the field's tools name models: of a file or repository, without owner, folder and ending."""
        return (self.weights or self.source).stem

    def files(self) -> tuple[Alternatives, Alternatives]:
        weights = (self.weights,) if self.weights else files.pipeline_weights(self.source, "unet")
        return (files.config(files.configs(self.source), "unet"),), weights


@dataclass(frozen=True)
class Pristine:
    """The weights of `unet` as its files have them, for LoRAs to be merged with."""

    unet: UNet
    title = "UNet's own weights"
    working = 0
    parameters = 0  # where memory is short, its files stand for them

    @property
    def origin(self) -> str:
        return self.unet.origin

    def files(self) -> tuple[Alternatives, ...]:
        """None that the UNet does not have."""
        return ()


@dataclass(frozen=True)
class Lora:
    """A LoRA for the UNet and the text encoders of `base`, at any scale, which is chosen anew for each picture.

    One that gives a style names the LoRA of DMD2's that it must not repeat.
    """

    file: File
    base: PipelineSource
    distillation: File | None = None
    title = "LoRA"
    working = 0
    parameters = 196_752_148  # of DMD2's; those that give styles are smaller

    @property
    def origin(self) -> str:
        return str(self.file)

    def files(self) -> tuple[Alternatives, ...]:
        return ((self.file,),)


@dataclass(frozen=True)
class Vae:
    """The autoencoder in `folder` of a source ("" where it lies at the top). Encoding takes no more than decoding."""

    source: Source
    folder: str = "vae"
    title = "VAE"
    working = 2_500_000_000
    parameters = 83_653_863

    @property
    def origin(self) -> str:
        return str(self.source)

    def files(self) -> tuple[Alternatives, Alternatives]:
        return (files.config(self.source, self.folder),), files.weights(self.source, self.folder)


@dataclass(frozen=True)
class TinyVae:
    """An autoencoder of the same latents with a thousandth of the work: pictures come out a little coarser."""

    source: Source
    title = "tiny VAE"
    working = 400_000_000
    parameters = 2_445_063

    @property
    def origin(self) -> str:
        return str(self.source)

    def files(self) -> tuple[Alternatives, Alternatives]:
        return (files.config(self.source, ""),), files.weights(self.source, "")


@dataclass(frozen=True)
class Adapter:
    """A T2I-Adapter."""

    source: Source
    title = "adapter"
    working = _LITTLE
    parameters = 79_028_160

    @property
    def origin(self) -> str:
        return str(self.source)

    def files(self) -> tuple[Alternatives, Alternatives]:
        return (files.config(self.source, ""),), files.weights(self.source, "")


@dataclass(frozen=True)
class Scheduler:
    """An LCMScheduler with SDXL's noise schedule, which every base is seen to have; it needs no file of one."""

    title = "scheduler"
    origin = "SDXL's published config"
    working = 0
    parameters = 0

    def files(self) -> tuple[Alternatives, ...]:
        return ()


Part = TextEncoders | UNet | Pristine | Lora | Vae | TinyVae | Adapter | Scheduler


@dataclass(frozen=True)
class PipelineSpec:
    """What a request needs. What changes weights or memory stands here; what changes one call, in the request.

    `loras` are merged in this order, which rounding depends on.
    """

    text_encoders: TextEncoders
    unet: UNet
    vae: Vae | TinyVae
    scheduler: Scheduler
    adapter: Adapter | None = None
    loras: tuple[Lora, ...] = ()

    @property
    def pristine(self) -> Pristine | None:
        """What the LoRAs are merged with."""
        return Pristine(self.unet) if self.loras else None

    def parts(self) -> tuple[Part, ...]:
        """All parts: LoRAs, of which it is soon seen whether they fit, then the largest first.

        So a load that can't succeed fails before it wastes time.
        """
        wanted = (*self.loras, self.unet, self.pristine, self.text_encoders, self.vae, self.scheduler, self.adapter)
        return tuple(part for part in wanted if part is not None)

    def working(self, pixels: int) -> int:
        """The bytes that a picture of so many pixels takes in half precision, while the hungriest part works."""
        untiled = min(pixels, LARGEST_UNTILED)
        whole = 1024 * 1024
        return max(_LITTLE, self.unet.working * pixels // whole, self.vae.working * untiled // whole)
