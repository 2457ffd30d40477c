"""What a first picture will download, said before it does; and that it won't be made, where that is seen already."""

from __future__ import annotations

from functools import partial

from dmd2_demo.errors import DemoError
from dmd2_demo.hub.download import LATELY
from dmd2_demo.hub.hub import Hub
from dmd2_demo.hub.lora_kind import require_style
from dmd2_demo.hub.model_kind import require_sdxl
from dmd2_demo.hub.remembered import Remembered
from dmd2_demo.models.parts import PipelineSpec
from dmd2_demo.progress import in_bytes

_PATIENCE = 4.0  # seconds that a page waits for the hub's word


class Announcer:
    """Sentences about specs. Each is asked of the hub once in some minutes, whoever wants to know."""

    def __init__(self, hub: Hub, patience: float = _PATIENCE) -> None:
        self._hub, self._patience = hub, patience
        self._told: Remembered[PipelineSpec, str] = Remembered(LATELY)

    def announce(self, spec: PipelineSpec) -> str:
        """What will be downloaded, with names and sizes; why the base is refused; or "" where all is on this disk."""
        if self._hub.holds(choice for part in spec.parts() for choice in part.files()):
            return ""
        try:
            return self._told.within(spec, partial(self._look, spec), self._patience)
        except TimeoutError:
            return "The hub does not answer at the moment, so the size of the first download is unknown."

    def _look(self, spec: PipelineSpec) -> str:
        try:
            for lora in spec.loras:
                require_sdxl(lora.base, self._hub)
                if lora.distillation:
                    require_style(lora, self._hub)
            return self._sizes(spec)
        except DemoError as error:
            return str(error)

    def _sizes(self, spec: PipelineSpec) -> str:
        sizes: dict[str, int] = {}
        unknown = False
        for part in spec.parts():
            for _, size in self._hub.missing(part.files()):
                sizes[part.title] = sizes.get(part.title, 0) + (size or 0)
                unknown = unknown or size is None
        if not sizes:
            return ""
        if unknown:
            return f"The first picture downloads the {', '.join(sizes)}. The hub doesn't tell their size at the moment."
        listed = ", ".join(f"{title} {in_bytes(size)}" for title, size in sizes.items() if size > 1e6)
        return f"The first picture downloads {in_bytes(sum(sizes.values()))} and keeps it: {listed}."
