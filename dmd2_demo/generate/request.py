"""What every request has. A request that exists is one that can be made: building it checks every value.

Each field stands once, with its label, what is allowed and its default; see `fields`.
"""

# Annotations hold objects here, not text: no `from __future__ import annotations`.
import itertools
import random
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

from PIL import Image

from dmd2_demo import __version__
from dmd2_demo.errors import DemoError
from dmd2_demo.generate.clean_text import cleaned, is_blank
from dmd2_demo.generate.edges import EdgeMap
from dmd2_demo.generate.fields import (
    Choice,
    FamilyDefault,
    Field,
    Flag,
    Given,
    Option,
    Prompt,
    Range,
    Whole,
    by_family,
    fields_of,
)
from dmd2_demo.generate.metadata import formats
from dmd2_demo.generate.prompt import weights
from dmd2_demo.generate.prompt.choices import expanded
from dmd2_demo.models.family import CommunityBase, Family, Schedule, StyleLora
from dmd2_demo.models.parts import Lora, PipelineSpec, Scheduler, TextEncoders, UNet
from dmd2_demo.models.sources import PipelineSource

LARGEST_SEED = 2**32 - 1
RANDOM_SEED = -1
MOST_PICTURES = 8


@dataclass(frozen=True)
class Seed(Field):
    """A whole number; -1 draws one."""

    def check(self, value: object, family: Family) -> int:
        seed = Whole(self.label, range=Range(RANDOM_SEED, LARGEST_SEED)).check(value, family)
        return random.randrange(LARGEST_SEED + 1) if seed == RANDOM_SEED else seed


@dataclass(frozen=True)
class TinyVaeFlag(Flag):
    """Whether the tiny VAE decodes, of which not every family has one."""

    def check(self, value: object, family: Family) -> bool:
        wanted = super().check(value, family)
        if wanted and family.tiny_vae is None:
            raise DemoError("These models have no tiny VAE.")
        return wanted


def _pixels(family: Family) -> Range:
    return Range(family.sizes.shortest, family.sizes.longest, family.sizes.grid)


@dataclass(frozen=True, kw_only=True)
class Request(ABC):
    """A prompt, a seed and a number of pictures. Picture i is made from `seed + i`, so each can be made again.

    Choices in the prompt, `{cat|dog}`, make that many pictures of each, from the same seeds. Values out of range raise
    DemoError.
    """

    family: Family
    prompt: Annotated[str, Prompt("Prompt")]
    seed: Annotated[int, Seed("Seed")] = RANDOM_SEED
    images: Annotated[int, Whole("Pictures", kept=False, range=Range(1, MOST_PICTURES), slider=False)] = 1
    file_format: Annotated[str, Option("File format", options=formats.OPTIONS)] = formats.PNG.name
    settings_inside: Annotated[
        bool, Flag("Settings in the file", "what it was made with, for this page and other tools", kept=False)
    ] = True

    tiny_vae: Annotated[bool, TinyVaeFlag("Tiny VAE", hint="decodes faster, a little coarser")] = False
    plain_prompt: Annotated[
        bool,
        Flag(
            "Plain prompt",
            "read as on the model card: cut after one chunk of tokens, with (word:1.2), BREAK and {cat|dog} as text",
        ),
    ] = False

    task: ClassVar[str]

    def __post_init__(self) -> None:
        for name, field in fields_of(type(self)).items():
            value = getattr(self, name)
            value = value.of(self.family) if isinstance(value, FamilyDefault) else value
            object.__setattr__(self, name, field.check(value, self.family))
        if any(map(is_blank, self.prompts)):
            raise DemoError("One of the choices in braces leaves nothing of the prompt.")

    @cached_property
    def prompts(self) -> tuple[str, ...]:
        """What the prompt stands for: itself, or one for each choice in its braces, in order."""
        if self.plain_prompt:
            return (self.prompt,)
        return tuple(map(cleaned, expanded(self.prompt, MOST_PICTURES // self.images)))

    @property
    def words(self) -> str:
        """The text of the first of its prompts, without what weighs it."""
        return self.prompt if self.plain_prompt else weights.words(self.prompts[0])

    @property
    def pictures(self) -> int:
        """How many it makes: `images` of each of its prompts, prompt by prompt."""
        return len(self.prompts) * self.images

    def alone(self, picture: int) -> Self:
        """The request for that picture and no other, counted from 0."""
        return replace(self, prompt=self.prompt_of(picture), seed=self.seed_of(picture), images=1)

    @property
    @abstractmethod
    def schedule(self) -> Schedule:
        """The times to denoise at."""

    @property
    @abstractmethod
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""

    @property
    def start(self) -> Image.Image | None:
        """The picture of its size that denoising starts from; None where that is noise alone."""
        return None

    @abstractmethod
    def spec(self) -> PipelineSpec:
        """The parts it needs."""

    def lora_scales(self) -> tuple[float, ...]:
        """The scale of each of the spec's LoRAs, in its order."""
        return ()

    def unused(self) -> frozenset[str]:
        """The fields that say nothing, as the rest of the request is."""
        return frozenset()

    def edges(self) -> EdgeMap | None:
        """The map that guides it, of its size; None where nothing does."""
        return None

    def call_arguments(self, edges: Image.Image | None) -> dict[str, Any]:  # noqa: ARG002 - for those that are guided
        """What its pipeline is called with beside what every request has: prompt, size, schedule and noise."""
        return {}

    def seed_of(self, picture: int) -> int:
        """The seed of picture number `picture`, counted from 0; after the largest seed comes 0."""
        return (self.seed + picture % self.images) % (LARGEST_SEED + 1)

    def prompt_of(self, picture: int) -> str:
        """The prompt of picture number `picture`, counted from 0."""
        return self.prompts[picture // self.images]

    def parameters(self, picture: int = 0) -> dict[str, Any]:
        """All it takes to make that picture again, in JSON's types."""
        width, height = self.size
        kept = [name for name, field in fields_of(type(self)).items() if field.kept and name not in self.unused()]
        return {
            "version": __version__,
            "task": self.task,
            "family": self.family.name,
            **{name: as_json(getattr(self, name)) for name in kept},
            "prompt": self.prompt_of(picture),
            **({"prompt_template": self.prompt} if len(self.prompts) > 1 else {}),
            "seed": self.seed_of(picture),
            "width": width,
            "height": height,
            "steps": len(self.schedule),
            "timesteps": list(self.schedule.timesteps),
            **self._models(),
        }

    def _models(self) -> dict[str, Any]:
        """The names of UNet and LoRAs, those of styles with their scales."""
        spec = self.spec()
        models: dict[str, Any] = {"model": spec.unet.stem}
        styles: dict[str, float] = {}
        for lora, scale in zip(spec.loras, self.lora_scales(), strict=True):
            stem = lora.file.stem
            if lora.distillation is None:
                models["lora"] = stem
            else:  # many are called pytorch_lora_weights
                name = f"{lora.file.source.stem}/{stem}" if stem in styles else stem
                styles[f"{name} ({len(styles) + 1})" if name in styles else name] = scale
        return models | ({"styles": styles} if styles else {})

    @classmethod
    def blank(cls, family: Family, **given: Any) -> Self:
        """A request for nothing in particular, to ask what parts it needs."""
        blanks = {name: field.blank() for name, field in fields_of(cls).items() if isinstance(field, Given)}
        values: dict[str, Any] = {"prompt": "any", "seed": 0}
        return cls(family=family, **(values | blanks | given))

    @classmethod
    def variants(cls, family: Family) -> Iterator[Self]:
        """Requests that need, all together, every part that one of this class may need: one of each choice."""
        choices = {name: field for name, field in fields_of(cls).items() if isinstance(field, Choice)}
        options = [[(name, value) for _, value in field.options(family)] for name, field in choices.items()]
        for combination in itertools.product(*options):
            yield cls.blank(family, **dict(combination))
        if family.tiny_vae is not None:
            yield cls.blank(family, tiny_vae=True)

    def _spec(self, source: PipelineSource, unet: UNet, loras: tuple[Lora, ...] = ()) -> PipelineSpec:
        tiny = self.family.tiny_vae if self.tiny_vae else None
        return PipelineSpec(TextEncoders(source), unet, tiny or self.family.vae, Scheduler(), loras=loras)


@dataclass(frozen=True, kw_only=True)
class FreelySized(Request):
    """A request whose picture may have any size on the family's grid, in pixels."""

    width: Annotated[int, Whole("Width", range=_pixels, slider=False)] = by_family(lambda f: f.sizes.default[0])
    height: Annotated[int, Whole("Height", range=_pixels, slider=False)] = by_family(lambda f: f.sizes.default[1])

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height


def as_json(value: object) -> object:
    """A field's value as a picture and a component have it."""
    return value.name if isinstance(value, CommunityBase | StyleLora) else value
