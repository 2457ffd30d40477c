"""What a picture of a large family takes of a machine without a GPU: memory, known before; time, once measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from threading import Lock

from dmd2_demo.device.host_memory import HostMemory, host_memory
from dmd2_demo.generate.request import Request
from dmd2_demo.models.family import OnCpu
from dmd2_demo.progress import in_bytes

_PRECISION_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True)
class _Work:
    """What decides how long a picture takes."""

    task: str
    size: tuple[int, int]
    steps: int
    tiny_vae: bool

    @classmethod
    def of(cls, request: Request) -> _Work:
        return cls(request.task, request.size, len(request.schedule), request.tiny_vae)

    def __str__(self) -> str:
        steps = f"{self.steps} step{'s' if self.steps != 1 else ''}"
        return " · ".join([" × ".join(map(str, self.size)), steps, *(["tiny VAE"] if self.tiny_vae else [])])


class CpuCost:
    """Sentences about requests, from SDXL's shapes and from the pictures that were made.

    `precision` tells the name of the type that is computed in, and may wait for it to be known; `host` the machine's
    memory.
    """

    def __init__(
        self, on_cpu: OnCpu, precision: Callable[[], str], host: Callable[[], HostMemory] = host_memory
    ) -> None:
        self._on_cpu, self._precision, self._host = on_cpu, precision, host
        self._lock = Lock()
        self._taken: dict[_Work, float] = {}

    def made(self, request: Request, seconds: float) -> None:
        """Remembers what one picture took; the last one of its kind counts."""
        work = _Work.of(request)
        with self._lock:
            self._taken.pop(work, None)
            self._taken[work] = seconds

    def tell(self, request: Request) -> str:
        """Memory, time, and what size means."""
        precision = self._precision()
        size = " × ".join(map(str, request.size))
        needed = in_bytes(self.memory(request, _PRECISION_BYTES[precision]))
        return (
            f"On this CPU, in {precision}, {size} takes about {needed} of the machine's "
            f"{in_bytes(self._host().total)} of memory. {self._time(_Work.of(request))} {self._on_cpu.note}"
        )

    @staticmethod
    def memory(request: Request, bytes_each: int) -> int:
        """The bytes of its models and of the work, with so many a number.

        What can be read again from files at any time, as the weights that LoRA scales are merged from, is not counted.
        """
        spec = request.spec()
        return sum(part.parameters for part in spec.parts()) * bytes_each + (
            spec.working(prod(request.size)) * bytes_each // 2
        )

    def _time(self, work: _Work) -> str:
        with self._lock:
            taken = list(self._taken.items())
        if not taken:
            return "How long a picture takes is measured with the first."
        of_this = dict(taken).get(work)
        if of_this is not None:
            return f"A picture like this took {of_this:.3g} s."
        last, seconds = taken[-1]
        return f"The last picture ({last}) took {seconds:.3g} s."
