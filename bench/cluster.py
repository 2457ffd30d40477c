"""What a cluster costs and gives: the page's studio over Ray Serve beside the one that computes in its own process.

python -m bench.cluster [--pairs 100] [--pictures 60]

Ray, replicas of the embedded family pinned to a core each, and the clients share this machine: with two cores, two
replicas leave nothing for the rest. Latency is of a picture in one step and in four, encoded, its steps told, in turn
with the local studio's; Stop is from the visitor's word to the end of the call. Throughput is of four clients, beside
what the cores would allow. The mixed load asks for five pipelines by Zipf's law, where a replica has room for two
bases, and counts the parts loaded.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from statistics import median, quantiles

import psutil
import torch
from PIL import Image, ImageDraw

from bench.cluster_head import FAMILY, joined
from dmd2_demo.errors import Cancelled
from dmd2_demo.generate.metadata.formats import PNG
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.requests import CannyGuided, CommunityLora, TextToImage
from dmd2_demo.generate.runtime import build_runtime
from dmd2_demo.generate.studio import Studio
from dmd2_demo.process import keep_freed_memory
from dmd2_demo.progress import Progress, silent
from dmd2_demo.settings import Settings

_CLIENTS = 4
_BUDGET = 55_000_000  # bytes: two bases with what goes with them
PROMPT = FAMILY.examples[0].prompt


def text(steps: int, seed: int = 0) -> TextToImage:
    """A request of the family's own size."""
    return TextToImage(family=FAMILY, prompt=PROMPT, seed=seed, steps=steps)


def make(studio: Studio, request: Request) -> float:
    """Seconds until its first picture is a file."""
    told: list[Progress] = []
    started = time.perf_counter()
    next(studio.generate(request, told.append, lambda: False)).encoded(PNG, settings_inside=True)
    seconds = time.perf_counter() - started
    assert sum("tep" in each.sentence for each in told) == len(request.schedule)
    return seconds


def stopped(studio: Studio) -> float:
    """Seconds from Stop, after the first step of four, to the end."""
    moment = [0.0]

    def report(_: Progress) -> None:
        moment[0] = moment[0] or time.perf_counter()

    try:
        list(studio.generate(text(4), report, lambda: moment[0] > 0))
    except Cancelled:
        return time.perf_counter() - moment[0]
    raise AssertionError("it was not stopped")


def compare(what: str, local: Studio, remote: Studio, measure: Callable[[Studio], float], pairs: int) -> None:
    """Prints a row of milliseconds: medians and 95th percentiles, and what the cluster adds to each."""
    here, there = list[float](), list[float]()
    for pair in range(pairs + 3):
        for studio, times in ((local, here), (remote, there)) if pair % 2 else ((remote, there), (local, here)):
            times.append(1000 * measure(studio))
    here, there = here[3:], there[3:]
    print(f"| {what} | {_told(here)} | {_told(there)} | {median(there) - median(here):.1f} ", end="")
    print(f"| {quantiles(there, n=20)[-1] - quantiles(here, n=20)[-1]:.1f} |", flush=True)


def _told(times: Sequence[float]) -> str:
    return f"{median(times):.0f} ({quantiles(times, n=20)[-1]:.0f})"


@dataclass(frozen=True)
class Throughput:
    """Pictures a second, and the processor seconds that each takes of the replicas and of everything else."""

    rate: float
    replicas: float
    others: float


def throughput(studio: Studio, requests: Sequence[Request]) -> Throughput:
    """With all clients at work."""

    def ask(request: Request) -> None:
        list(studio.generate(request, silent, lambda: False))

    with ThreadPoolExecutor(_CLIENTS) as clients:
        started, before, all_before = time.perf_counter(), _spent_by_replicas(), _spent_by_all()
        list(clients.map(ask, requests))
        seconds, spent, all_spent = time.perf_counter() - started, _spent_by_replicas(), _spent_by_all()
    count, mine = len(requests), spent - before
    return Throughput(count / seconds, mine / count, (all_spent - all_before - mine) / count)


def _spent_by_replicas() -> float:
    found = (one for one in psutil.process_iter(["cmdline"]) if "ServeReplica" in " ".join(one.info["cmdline"] or ()))
    return sum(sum(one.cpu_times()[:2]) for one in found)


def _spent_by_all() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system)


def _cores() -> int:
    return len(psutil.Process().cpu_affinity())


def mixed(count: int) -> list[Request]:
    """Requests of five pipelines, the same each time."""
    drawing = Image.new("RGB", (128, 128))
    ImageDraw.Draw(drawing).circle((64, 64), 40, outline=(255, 255, 255), width=3)
    kinds: list[Callable[[int], Request]] = [
        lambda seed: text(4, seed),
        *(
            lambda seed, base=base: CommunityLora(family=FAMILY, prompt=PROMPT, seed=seed, base=base)
            for base in FAMILY.bases
        ),
        lambda seed: text(1, seed),
        lambda seed: CannyGuided(family=FAMILY, prompt=PROMPT, seed=seed, image=drawing),
    ]
    weights = [1 / rank for rank in range(1, len(kinds) + 1)]
    chosen = random.Random(0).choices(kinds, weights, k=count)
    return [kind(seed) for seed, kind in enumerate(chosen)]


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--pictures", type=int, default=60)
    chosen = parser.parse_args()
    keep_freed_memory()  # as app.py does
    torch.set_num_threads(1)
    local = build_runtime(FAMILY, Settings(family=FAMILY.name), has_gpu=False).studio
    with joined(1) as studio:
        print("| ms | local | cluster | added at the median | at p95 |\n|---|---|---|---|---|")
        for steps in (1, 4):
            compare(f"{steps} steps", local, studio, partial(make, request=text(steps)), chosen.pairs)
        compare("Stop", local, studio, stopped, chosen.pairs)
        one = throughput(studio, [text(4, seed) for seed in range(chosen.pictures)])
    with joined(2) as studio:
        two = throughput(studio, [text(4, seed) for seed in range(chosen.pictures)])
    print(f"\n{_CLIENTS} clients: {one.rate:.2f} pictures/s by one replica, ", end="")
    print(f"{two.rate:.2f} by two: {two.rate / one.rate:.2f} times. By two, a picture takes {two.replicas:.3f} s of a ")
    print(f"replica's core and {two.others:.3f} s of all else's, so that {_cores()} cores make at most ", end="")
    print(f"{_cores() / (two.replicas + two.others) / one.rate:.2f} times what one replica does.\n")
    print("| routing | pictures/s | parts loaded | a picture, s | loading, s |\n|---|---|---|---|---|")
    for router in ("parts", "random"):
        with joined(2, router=router, budget=_BUDGET) as studio:
            rate = throughput(studio, mixed(chosen.pictures)).rate
            now = studio.status()
        loading = sum(part["seconds"] for part in now["loading"])
        print(f"| {router} | {rate:.2f} | {now['loads']} | {now['busy_seconds'] / now['leases']:.3f} | {loading:.2f} |")


if __name__ == "__main__":
    main()
