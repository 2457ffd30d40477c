"""The style LoRAs of a request: up to three, each at a scale of its own."""

# Annotations hold objects here, not text: no `from __future__ import annotations`.
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.fields import Field, Number, Range
from dmd2_demo.generate.request import Request
from dmd2_demo.models.family import Family, StyleLora
from dmd2_demo.models.parts import Lora
from dmd2_demo.models.sources import PipelineSource

LARGEST_LORA_SCALE = 1.5
SLOTS = ("style", "style_2", "style_3")
"""The fields that name one; each has another for its scale, called so with `_scale` behind."""

_SCALES = Range(0, LARGEST_LORA_SCALE, 0.05)


@dataclass(frozen=True)
class StyleChoice(Field):
    """One of the family's styles, or one that was found elsewhere; None or "" for none."""

    def options(self, family: Family) -> list[tuple[str, str]]:
        """(title, name) of each, none of them first."""
        return [("None", ""), *((style.title, style.name) for style in family.styles)]

    def check(self, value: object, family: Family) -> StyleLora | None:
        if value is None or value == "":
            return None
        return value if isinstance(value, StyleLora) else family.style(value)


@dataclass(frozen=True, kw_only=True)
class Styled(Request):
    """A request whose pictures may have styles. DemoError where one is chosen twice."""

    style: Annotated[StyleLora | None, StyleChoice("Style")] = None
    style_scale: Annotated[float, Number("Style scale", range=_SCALES)] = 0.8
    style_2: Annotated[StyleLora | None, StyleChoice("Style 2")] = None
    style_2_scale: Annotated[float, Number("Style 2 scale", range=_SCALES)] = 0.8
    style_3: Annotated[StyleLora | None, StyleChoice("Style 3")] = None
    style_3_scale: Annotated[float, Number("Style 3 scale", range=_SCALES)] = 0.8

    def __post_init__(self) -> None:
        super().__post_init__()
        files = [style.file for style, _ in self.styles()]
        if len(set(files)) < len(files):
            raise DemoError("A style can be chosen once; to have more of it, raise its scale.")

    def styles(self) -> tuple[tuple[StyleLora, float], ...]:
        """Those chosen with their scales, in the one order that they are merged in, however they were chosen."""
        chosen = [(getattr(self, slot), getattr(self, f"{slot}_scale")) for slot in SLOTS if getattr(self, slot)]
        return tuple(sorted(chosen, key=lambda pair: (str(pair[0].file.source), pair[0].file.name)))

    def unused(self) -> frozenset[str]:
        """The fields of styles that are not chosen."""
        return frozenset(name for slot in SLOTS if not getattr(self, slot) for name in (slot, f"{slot}_scale"))

    def lora_scales(self) -> tuple[float, ...]:
        """In the order of `style_loras`."""
        return tuple(scale for _, scale in self.styles())

    def style_fields(self) -> dict[str, Any]:
        """The fields of the chosen styles, for another request with the same."""
        unused = self.unused()
        names = [name for slot in SLOTS for name in (slot, f"{slot}_scale")]
        return {name: getattr(self, name) for name in names if name not in unused}

    def style_loras(self, base: PipelineSource) -> tuple[Lora, ...]:
        """The parts that they need on that base."""
        return tuple(Lora(style.file, base, distillation=self.family.lora) for style, _ in self.styles())

    @classmethod
    def variants(cls, family: Family) -> Iterator[Self]:
        """As Request's, each without and with each style."""
        for variant in super().variants(family):
            yield variant
            yield from (replace(variant, style=style) for style in family.styles)


def offered(loras: Mapping[str, float], family: Family) -> tuple[dict[str, Any], dict[str, float]]:
    """Settings of those LoRAs, by files' names with their scales, that are styles of the family; and the other ones."""
    settings, others, slots = dict[str, Any](), dict[str, float](), iter(SLOTS)
    for name, scale in loras.items():
        try:
            style, slot = family.style(name), next(slots)
        except (DemoError, StopIteration):
            others[name] = scale
        else:
            settings |= {slot: style.name, f"{slot}_scale": scale}
    return settings, others


def without_styles(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with every style that they don't name set to none."""
    return {**dict.fromkeys(SLOTS), **settings}
