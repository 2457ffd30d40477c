"""What routing and prewarming give on more GPUs than there are here: a simulation, whose times are measured elsewhere.

python -m bench.cluster_simulation [--picture 1.0] [--swap 3.0] [--loads 0.2 0.6]

Pictures of bases whose popularity falls as Zipf's law says come at random times to 1 to 64 replicas, each with room for
some bases. A replica makes one picture at a time, first loading its base where that is not there. Routed are they by
`dmd2_demo.cluster.routing`, which the page uses; at random; or as Ray Serve's model multiplexing does (2.60), which
goes by the base and by how many a replica has. `python -m bench.cluster` measures `--picture` and `--swap`, the seconds
of both.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import random
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import quantiles

from dmd2_demo.cluster import routing
from dmd2_demo.cluster.routing import ONGOING

_PATIENCE = 1.0  # seconds that Serve's multiplexing waits for a replica with the model


@dataclass(frozen=True)
class World:
    """Seconds of a picture and of loading a base; `load` is the share of all time that pictures alone take."""

    replicas: int
    picture: float = 1.0
    swap: float = 3.0
    load: float = 0.6
    bases: int = 20
    zipf: float = 1.1
    room: int = 2
    pictures_each: int = 60


@dataclass(eq=False)
class Asked:
    """A picture of a base, and when it came."""

    base: int
    came: float


@dataclass(eq=False)
class Replica:
    """What it has, least recently used first, and what it is to do; the first of `given` is at work."""

    room: int
    resident: OrderedDict[int, None] = field(default_factory=OrderedDict)
    given: deque[Asked] = field(default_factory=deque)
    used: float = 0.0

    def has(self, base: int) -> bool:
        """Whether it is there, or will be before a picture that is given to it now begins."""
        return base in self.resident or any(asked.base == base for asked in self.given)

    def load(self, base: int) -> bool:
        """Makes it resident; whether it had to be loaded."""
        missing = base not in self.resident
        self.resident[base] = None
        self.resident.move_to_end(base)
        if len(self.resident) > self.room:
            self.resident.popitem(last=False)
        return missing


Choose = Callable[[Asked, list[Replica], "Counter[int]", float, random.Random], "int | None"]
"""The number of the replica that a picture waits for or goes to; None where it is not decided yet."""


def by_parts(asked: Asked, replicas: list[Replica], waiting: Counter[int], _now: float, _: random.Random) -> int | None:
    """The page's own."""
    loads = {
        str(number): routing.Load(
            len(replica.given) + waiting[number],
            frozenset({"base"} if replica.has(asked.base) else ()),
            replica.used,
        )
        for number, replica in enumerate(replicas)
    }
    best = routing.ranked({"base": 1}, loads)
    return int(next((name for name in best if len(replicas[int(name)].given) < ONGOING), best[0]))


def at_random(
    _asked: Asked, replicas: list[Replica], _waiting: Counter[int], _now: float, chance: random.Random
) -> int | None:
    """Anywhere with room."""
    free = [number for number, replica in enumerate(replicas) if len(replica.given) < ONGOING]
    return chance.choice(free) if free else None


def multiplexed(
    asked: Asked, replicas: list[Replica], waiting: Counter[int], now: float, chance: random.Random
) -> int | None:
    """Serve's: the shorter queue of two that have the base, else one of the fewest bases; after a second, anywhere."""
    having = [number for number, replica in enumerate(replicas) if replica.has(asked.base)]
    free = [number for number in having if len(replicas[number].given) < ONGOING]
    if free:
        two = chance.sample(free, min(2, len(free)))
        return min(two, key=lambda number: len(replicas[number].given))
    fewest = min(len(replica.resident) for replica in replicas)
    free = [n for n, replica in enumerate(replicas) if len(replica.resident) == fewest and len(replica.given) < ONGOING]
    if free:
        return chance.choice(free)
    return at_random(asked, replicas, waiting, now, chance) if now - asked.came >= _PATIENCE else None


POLICIES: dict[str, Choose] = {"by parts": by_parts, "multiplexing": multiplexed, "random": at_random}


@dataclass(frozen=True)
class Outcome:
    """Seconds from a picture's coming to its end, and loads a picture."""

    median: float
    p95: float
    swaps: float


class Simulation:
    """One run; the same pictures come at the same times whatever `choose` is.

    `prewarmed` has the most popular base everywhere at first.
    """

    def __init__(self, world: World, choose: Choose, *, prewarmed: bool, seed: int = 0) -> None:
        self._world, self._choose = world, choose
        self._chance = random.Random(seed + 1)
        self._replicas = [Replica(world.room) for _ in range(world.replicas)]
        for replica in self._replicas if prewarmed else ():
            replica.load(0)
        self._order = itertools.count()
        # A replica that is done with a picture, a picture that comes, or None for a look at those that wait.
        self._events: list[tuple[float, int, int | Asked | None]] = []
        self._now, self._swaps = 0.0, 0
        self._undecided: list[Asked] = []
        self._fill(random.Random(seed))

    def run(self) -> Outcome:
        """Until all pictures are made."""
        took: list[float] = []
        while self._events:
            self._now, _, event = heapq.heappop(self._events)
            if isinstance(event, Asked):
                self._undecided.append(event)
                self._at(self._now + _PATIENCE, None)
            elif event is not None:
                took.append(self._now - self._replicas[event].given.popleft().came)
                if self._replicas[event].given:
                    self._begin(event)
            self._decide()
        cuts = quantiles(took, n=20)
        return Outcome(cuts[9], cuts[18], self._swaps / len(took))

    def _fill(self, arrivals: random.Random) -> None:
        world = self._world
        weights = [1 / rank**world.zipf for rank in range(1, world.bases + 1)]
        moment = 0.0
        for base in arrivals.choices(range(world.bases), weights, k=world.replicas * world.pictures_each):
            moment += arrivals.expovariate(world.load * world.replicas / world.picture)
            self._at(moment, Asked(base, moment))

    def _at(self, moment: float, event: int | Asked | None) -> None:
        heapq.heappush(self._events, (moment, next(self._order), event))

    def _begin(self, number: int) -> None:
        replica = self._replicas[number]
        swapped = replica.load(replica.given[0].base)
        self._swaps += swapped
        self._at(self._now + self._world.picture + swapped * self._world.swap, number)

    def _decide(self) -> None:
        # As in Serve, twice as many as there are replicas are looked at, the first to come first.
        most = 2 * len(self._replicas)
        waiting: Counter[int] = Counter()
        left = []
        for asked in self._undecided[:most]:
            if all(len(replica.given) == ONGOING for replica in self._replicas):
                left.append(asked)
                continue
            number = self._choose(asked, self._replicas, waiting, self._now, self._chance)
            if number is not None and len(self._replicas[number].given) < ONGOING:
                self._replicas[number].given.append(asked)
                self._replicas[number].used = self._now
                if len(self._replicas[number].given) == 1:
                    self._begin(number)
                continue
            if number is not None:
                waiting[number] += 1
            left.append(asked)
        self._undecided[:most] = left


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("picture", "swap"):
        parser.add_argument(f"--{name}", type=float, default=getattr(World, name))
    parser.add_argument("--loads", type=float, nargs="+", default=[0.2, 0.6])
    parser.add_argument("--replicas", type=int, nargs="+", default=[1, 4, 16, 64])
    chosen = parser.parse_args()
    print(f"A picture {chosen.picture} s, a base {chosen.swap} s; 20 bases, room for {World.room} on each replica\n")
    print("Median and 95th percentile of seconds, and loads in 100 pictures:\n")
    print(f"| load | replicas | prewarmed | {' | '.join(POLICIES)} |")
    print("|---|---|---|---|---|---|")
    for load, replicas, prewarmed in itertools.product(chosen.loads, chosen.replicas, (False, True)):
        world = World(replicas, chosen.picture, chosen.swap, load)
        found = [Simulation(world, choose, prewarmed=prewarmed).run() for choose in POLICIES.values()]
        told = " | ".join(f"{each.median:.1f}, {each.p95:.1f} s; {100 * each.swaps:.0f}" for each in found)
        print(f"| {load:.0%} | {replicas} | {'yes' if prewarmed else 'no'} | {told} |", flush=True)


if __name__ == "__main__":
    main()
