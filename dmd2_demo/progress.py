"""What a visitor is told while they wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """One sentence, and how far along it is from 0 to 1 where that is known."""

    sentence: str
    fraction: float | None = None


Report = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """A report to nobody."""


def part_of(report: Report, noun: str, done: int, count: int) -> Report:
    """Reports to `report` what is told of the next of `count` such parts, of which `done` are done."""

    def tell(progress: Progress) -> None:
        sentence = f"{noun} {done + 1} of {count}: {progress.sentence}"
        report(Progress(sentence, (done + (progress.fraction or 0)) / count))

    return tell


def in_bytes(count: float) -> str:
    """A number of bytes as people read it: `5.1 GB`, `394 MB`, `12 KB`."""
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.1f} {unit}" if count < 10 * size else f"{count / size:.0f} {unit}"
    return f"{max(1, round(count / 1e3))} KB" if count else "0 KB"
