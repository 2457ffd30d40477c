"""What was found in a picture file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Found:
    """Settings as a file tells them: nothing is checked yet.

    `tool` made the picture. `settings` are by the names of our requests' fields, with `task` where it is told;
    `ignored` is what has no place here, by the tool's own names.
    """

    tool: str
    settings: Mapping[str, Any]
    ignored: Mapping[str, str] = field(default_factory=dict)
