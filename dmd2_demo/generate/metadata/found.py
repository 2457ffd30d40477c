"""What was found in a picture file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Found:
    """Settings as a file tells them: nothing is checked yet.

    `tool` made the picture. `settings` are by the names of our requests' fields, with `task` where it is told;
    `ignored` is what has no place here, by the tool's own names. `loras` are other tools' scales by files' names, which
    may or may not be offered here.
    """

    tool: str
    settings: Mapping[str, Any]
    ignored: Mapping[str, str] = field(default_factory=dict)
    loras: Mapping[str, float] = field(default_factory=dict)


def stem(file: object) -> str:
    """A file's name without folder and ending, however the tool's system writes paths."""
    return str(file).replace("\\", "/").rpartition("/")[2].removesuffix(".safetensors")


def scale(told: object) -> float:
    """A LoRA's; 1 where that is no number that a scale can be."""
    return float(told) if isinstance(told, int | float) and abs(told) <= 100 else 1.0
