"""What the page is given by whoever opens it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from dmd2_demo.generate.request import Request
from dmd2_demo.generate.sheet import MOST_CELLS
from dmd2_demo.models.family import CommunityBase, StyleLora
from dmd2_demo.models.parts import PipelineSpec
from dmd2_demo.page.visitors import Limits


@dataclass(frozen=True)
class PageContext:
    """What the page shows and may do besides making pictures.

    `status` and `unload` are for the panel, `unload` None where models stay or strangers come; `downloads` is a
    sentence about what a spec's first use fetches, "" for nothing; `custom_base` is the base of a public repository
    that a visitor names, `custom_style` the style LoRA, None where they may not; `limits` are for what each has
    waiting or running, and `most_cells` for a contact sheet. `quota` tells the seconds of a lent GPU that a request
    asks for, None where the GPU is the operator's; `cost` tells what a request takes of a CPU, None where that is
    little or a GPU computes. `notice` says why what computes is not what one would expect. `counted` is entered with
    each request.
    """

    device: str
    status: Callable[[], dict[str, Any]]
    unload: Callable[[], None] | None
    downloads: Callable[[PipelineSpec], str]
    limits: Limits
    custom_base: Callable[[str], CommunityBase] | None = None
    custom_style: Callable[[str], StyleLora] | None = None
    most_cells: int = MOST_CELLS
    quota: Callable[[Request], int] | None = None
    cost: Callable[[Request], str] | None = None
    notice: str = ""
    counted: Callable[[], AbstractContextManager[None]] = nullcontext
