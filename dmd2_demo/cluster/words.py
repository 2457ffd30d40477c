"""What travels between the page, its link to the cluster, and the replicas there. All of it is pickled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dmd2_demo.errors import Failure
from dmd2_demo.generate.edges import EdgeMap
from dmd2_demo.generate.manager import Status
from dmd2_demo.generate.request import Request
from dmd2_demo.progress import Progress


@dataclass(frozen=True)
class Ask:
    """One picture of a request, counted from 0, with its edges found already; for whom, as the studio takes it."""

    request: Request
    picture: int
    found: EdgeMap | None
    visitor: str
    yields: bool


@dataclass(frozen=True)
class ReplicaStatus:
    """Which replica it is, and what its manager tells."""

    name: str
    now: Status


@dataclass(frozen=True)
class Made:
    """A picture as a file of the format that its request names."""

    file: bytes
    parameters: dict[str, Any]
    seconds: float
    notices: tuple[str, ...]
    status: ReplicaStatus


@dataclass(frozen=True)
class Lost:
    """The replica ended, and had told a step before where it had `begun`; another may make the picture."""

    begun: bool


@dataclass(frozen=True)
class Gone:
    """The cluster can't be reached, or has nothing that makes pictures; `why` is a clause for the operator's log."""

    why: str


@dataclass(frozen=True)
class Connected:
    """The first word of a link: what the cluster has."""

    gpus: int
    cpus: int

    def __str__(self) -> str:
        count, what = (self.gpus, "GPU") if self.gpus else (self.cpus, "CPU core")
        return f"Ray cluster, {count} {what}{'s' if count != 1 else ''}"


@dataclass(frozen=True)
class Ready:
    """How many replicas are ready now."""

    replicas: int


Told = Progress | Made | Failure
"""What a replica says of a picture: how far it is, any number of times, then one of the others."""

Word = Told | Lost | Gone
"""What comes back over the link."""
