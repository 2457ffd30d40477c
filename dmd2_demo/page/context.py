"""What the page is given by whoever opens it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dmd2_demo.generate.requests import Request
from dmd2_demo.models.parts import PipelineSpec


@dataclass(frozen=True)
class PageContext:
    """What the page shows and may do besides making pictures.

    `status` and `unload` are for the panel, None where models stay; `downloads` is a sentence about what a spec's
    first use fetches, "" for nothing; with `custom_bases` a visitor may name any public repository. `quota` tells the
    seconds of a lent GPU that a request asks for, None where the GPU is the operator's. `notice` says why what
    computes is not what one would expect.
    """

    device: str
    status: Callable[[], dict[str, Any]]
    unload: Callable[[], None] | None
    downloads: Callable[[PipelineSpec], str]
    custom_bases: bool = False
    quota: Callable[[Request], int] | None = None
    notice: str = ""
