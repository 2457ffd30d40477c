"""Which replica a picture goes to: where it is done first, with what must be loaded there and who waits there.

Everything is counted in pictures: one that waits is 1, and loading a whole pipeline is `LOAD`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from dmd2_demo.models.parts import Part

LOAD = 3.0
"""Pictures that could be made while all parts of a pipeline are loaded; see bench/cluster_simulation.py."""


ONGOING = 2
"""Pictures that a replica has at a time: one computes, and the next is there when it is done."""


def part_key(part: Part) -> str:
    """The same for equal parts, in every process."""
    return sha256(repr(part).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Load:
    """What a replica has to do: `waiting` pictures, with what it has `resident`. `used` is when it was last asked."""

    waiting: int
    resident: frozenset[str]
    used: float = 0.0


def sizes(parts: Iterable[Part]) -> dict[str, int]:
    """What loading each takes, by key, in numbers to read; a little for what has none."""
    return {part_key(part): part.parameters + 1 for part in parts}


def cost(wanted: Mapping[str, int], replica: Load) -> float:
    """Pictures' times until a picture that wants those parts would begin there."""
    missing = sum(size for key, size in wanted.items() if key not in replica.resident)
    return replica.waiting + LOAD * missing / sum(wanted.values())


def ranked(wanted: Mapping[str, int], replicas: Mapping[str, Load]) -> list[str]:
    """Names of the replicas that the picture may go to now, the best first.

    One with much to do is waited for rather than parts loaded elsewhere, until that costs more than the loading: who
    is not worth it is left out. Of equals the one that was asked longest ago comes first: what it has is wanted least.
    """
    costs = {name: cost(wanted, load) for name, load in replicas.items()}
    best = min(costs.values(), default=0.0)
    return sorted(
        (name for name, its in costs.items() if its < best + 1), key=lambda name: (costs[name], replicas[name].used)
    )
