"""What fits on a disk that must hold a whole family twice: as files, and as tensors packed for a GPU."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from dmd2_demo.generate.request import Request
from dmd2_demo.generate.tasks import REQUESTS
from dmd2_demo.hub.hub import Hub
from dmd2_demo.models import files
from dmd2_demo.models.family import Family
from dmd2_demo.models.parts import Lora, Part
from dmd2_demo.models.sources import File
from dmd2_demo.progress import in_bytes

_SPARE = 1_000_000_000  # bytes that are left free: pictures, uploads, logs


@dataclass(frozen=True)
class DiskNeed:
    """Bytes that parts take on a disk: to come from the hub, pickles made into safetensors, tensors packed."""

    downloads: int
    converted: int
    packed: int

    @property
    def total(self) -> int:
        return self.downloads + self.converted + self.packed

    def __str__(self) -> str:
        return (
            f"{in_bytes(self.total)} of disk ({in_bytes(self.downloads)} to download, {in_bytes(self.converted)} for "
            f"converted pickles, {in_bytes(self.packed)} for packed tensors)"
        )


@dataclass(frozen=True)
class DiskPlan:
    """The family with as many bases as fit, whether pickles must go once they are converted, and a line for the log."""

    family: Family
    drop_pickles: bool
    line: str


def with_first_bases(family: Family, count: int) -> Family:
    """The family with its first `count` bases, and an example that one of them can draw."""
    bases = family.bases[:count]
    names = {base.name for base in bases}
    examples = tuple(example for example in family.lora_examples if example.base in names)
    return replace(family, bases=bases, lora_examples=examples)


def every_request(family: Family) -> Iterator[Request]:
    """Requests that need, all together, every part of the family that a visitor may ask for."""
    return (variant for kind in REQUESTS for variant in kind.variants(family))


def every_part(family: Family) -> tuple[Part, ...]:
    """Those parts, each once."""
    return tuple(dict.fromkeys(part for request in every_request(family) for part in request.spec().parts()))


def need_of(parts: Iterable[Part], hub: Hub) -> DiskNeed:
    """What those parts take. What the hub does not tell counts nothing."""
    choices = {choice: isinstance(part, Lora) for part in parts for choice in part.files()}
    missing = {file: size or 0 for file, size in hub.missing(choices)}
    weights: dict[File, int] = {}
    for choice, is_lora in choices.items():
        if files.is_weights(choice) and not is_lora:  # a LoRA is merged, not packed
            chosen = next((file for file in choice if file in missing), None)
            size = missing[chosen] if chosen else hub.first(choice).stat().st_size
            weights[chosen or choice[0]] = size
    pickles = sum(size for file, size in weights.items() if not file.name.endswith(".safetensors"))
    return DiskNeed(sum(missing.values()), pickles, sum(weights.values()))


def plan(family: Family, bases: int, hub: Hub, free: int) -> DiskPlan:
    """What to load of `family` where `free` bytes are: at most so many bases, at least one."""
    wanted = with_first_bases(family, bases)
    room = free - _SPARE
    for count in range(len(wanted.bases), 0, -1):
        fewer = with_first_bases(wanted, count)
        need = need_of(every_part(fewer), hub)
        if need.total - need.converted <= room or count == 1:
            break
    drop = need.total > room
    line = f"Loading everything takes {need}; {in_bytes(free)} are free."
    if drop:
        line += " The pickles that were converted will be removed."
    if count < len(wanted.bases):
        line += f" For want of disk only {count} of {len(wanted.bases)} bases can be chosen."
    return DiskPlan(fewer, drop, line)
