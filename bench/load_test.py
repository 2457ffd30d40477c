"""What many visitors at once get: errors, who is served how often, and whether the page's memory grows.

python -m bench.load_test [--family embedded] [--clients 32] [--seconds 120]

Opens the real page in a process of its own. Each client asks one endpoint after the other, all of them in turn, and
asks again as soon as it is answered. Ends with 1 where something failed, where a client was served less than nine
tenths as often as another, or where the page took more memory at the end than after half of the time.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from gradio_client import Client, handle_file

from bench.page import drawing, opened
from dmd2_demo.models.catalogue import FAMILIES

LEAST_SERVED = 0.9  # of the one who is served most
MOST_GROWTH = 0.01  # of the memory after half of the time: what an allocator's own moods are
AROUND = 5  # seconds on each side that a size of memory is the median of


@dataclass
class Visits:
    """What one client saw: how long each answer took, by endpoint, and what failed."""

    answers: list[tuple[str, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Load:
    """Many clients at one address, each asking until `seconds` are over."""

    address: str
    folder: Path
    clients: int
    seconds: float

    def run(self, prompt: str) -> list[Visits]:
        """What each client saw. All start together, each with another endpoint."""
        values = {"prompt": prompt, "image": handle_file(drawing(self.folder))}
        ready = threading.Barrier(self.clients)

        def visit(number: int) -> Visits:
            client = Client(self.address, verbose=False, download_files=self.folder, analytics_enabled=False)
            calls = list(_calls(client, values))
            ready.wait()
            return self._ask(client, itertools.islice(itertools.cycle(calls), number % len(calls), None))

        with ThreadPoolExecutor(self.clients) as pool:
            return list(pool.map(visit, range(self.clients)))

    def _ask(self, client: Client, calls: Iterator[tuple[str, dict[str, Any]]]) -> Visits:
        visits, end = Visits(), time.monotonic() + self.seconds
        for endpoint, values in calls:
            started = time.monotonic()
            if started >= end:
                break
            try:
                client.predict(api_name=endpoint, **values)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is counted
                visits.errors.append(f"{endpoint}: {error}")
            else:
                answered = time.monotonic()
                if answered <= end:
                    visits.answers.append((endpoint, answered - started))
        return visits


def _calls(client: Client, values: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every endpoint with what it needs of `values`, and its own defaults."""
    endpoints = client.view_api(print_info=False, return_format="dict")["named_endpoints"]
    for endpoint, told in endpoints.items():
        needed = [one["parameter_name"] for one in told["parameters"] if not one["parameter_has_default"]]
        yield endpoint, {name: values[name] for name in needed}


class Memory(threading.Thread):
    """Watches the bytes that a process holds, once a second until it ends."""

    def __init__(self, process: psutil.Process) -> None:
        super().__init__(daemon=True)
        self._process = process
        self._since = time.monotonic()
        self._seen: list[tuple[float, int]] = []
        self.start()

    def run(self) -> None:
        """Until the process is gone."""
        while self._process.is_running():
            try:
                self._seen.append((time.monotonic() - self._since, self._process.memory_info().rss))
            except psutil.NoSuchProcess:
                return
            time.sleep(1)

    def at(self, second: float) -> float:
        """What it held about then."""
        return median(held for when, held in self._seen if abs(when - second) <= AROUND)


def main() -> None:
    """Prints what was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", choices=tuple(FAMILIES), default="embedded")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=120)
    chosen = parser.parse_args()
    with opened(chosen.family) as (address, _), tempfile.TemporaryDirectory() as folder:
        load = Load(address, Path(folder), chosen.clients, chosen.seconds)
        memory = Memory(psutil.Process().children()[0])
        visits = load.run(FAMILIES[chosen.family].examples[0].prompt)
        middle, end = memory.at(chosen.seconds / 2), memory.at(chosen.seconds)
    sys.exit(not _told(visits, middle, end))


def _told(visits: list[Visits], middle: float, end: float) -> bool:
    """Prints it all; whether it is as it should be."""
    answers = [answer for visit in visits for answer in visit.answers]
    errors = [error for visit in visits for error in visit.errors]
    served = [len(visit.answers) for visit in visits]
    print("| endpoint | answers | median | longest |\n|---|---|---|---|")
    for endpoint in sorted({endpoint for endpoint, _ in answers}):
        times = [took for asked, took in answers if asked == endpoint]
        print(f"| {endpoint} | {len(times)} | {median(times):.2f} s | {max(times):.2f} s |")
    print(f"\n{len(visits)} clients were served {min(served)} to {max(served)} times each, {len(answers)} in all")
    print(f"memory: {middle / 1e6:.0f} MB after half of the time, {end / 1e6:.0f} MB at the end")
    print(f"errors: {len(errors)}", *sorted(set(errors)), sep="\n  ")
    return not errors and min(served) >= LEAST_SERVED * max(served) and end <= (1 + MOST_GROWTH) * middle


if __name__ == "__main__":
    main()
