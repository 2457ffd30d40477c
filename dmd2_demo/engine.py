"""The heavy half: torch, diffusers and what stands on them, imported behind the open page."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from dmd2_demo import edges
from dmd2_demo.parts import Part, PipelineSpec
from dmd2_demo.progress import Progress, Report

if TYPE_CHECKING:
    from dmd2_demo.pipelines import Pipeline
    from dmd2_demo.weights import Weights


class Engine:
    """What the manager is handed: each function imports what it needs when it is first called."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._made: Weights | None = None

    def warm_up(self) -> None:
        """Starts importing, in the background."""

        def imports() -> None:
            self._weights()
            edges.detector()

        Thread(target=imports, name="imports", daemon=True).start()

    def fetch(self, part: Part, report: Report) -> int:
        """Makes the files of `part` local and tells the bytes it will take once loaded."""
        if self._made is None:
            report(Progress("Starting up"))
        return self._weights().fetch(part, report)

    def load(self, part: Part) -> Any:
        """The modules of `part`, ready to compute."""
        return self._weights().load(part)

    def assemble(self, spec: PipelineSpec, modules: Mapping[Part, Any]) -> Pipeline:
        """The pipeline of `spec`."""
        from dmd2_demo import pipelines  # noqa: PLC0415

        return pipelines.assemble(spec, modules)

    def release(self) -> None:
        """Returns memory that dropped parts took."""
        from dmd2_demo import placement  # noqa: PLC0415

        placement.release()

    def _weights(self) -> Weights:
        with self._lock:
            if self._made is None:
                # The pipelines are imported here too: the first picture needs them as well.
                from dmd2_demo import pipelines, placement  # noqa: F401, PLC0415
                from dmd2_demo.hub import Hub  # noqa: PLC0415
                from dmd2_demo.weights import Weights  # noqa: PLC0415

                chosen = placement.choose()
                self._made = Weights(Hub(), chosen.device, chosen.dtype)
            return self._made
