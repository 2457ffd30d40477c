"""What many visitors at once get: errors, who is served how often, and whether the page's memory grows.

python -m bench.load_test [--family embedded] [--clients 32] [--seconds 120]

Opens the real page in a process of its own. Each client asks one endpoint after the other, all of them in turn, and
asks again as soon as it is answered. Each endpoint is asked once before, so that loading counts for nobody. What a
client was served are its answers, each worth what its endpoint takes in the median: who waits longer has less. Last,
what the page took of the processors is set beside what the embedded family's bare pipelines take for as many pictures.

Ends with 1 where something failed, where a client was served less than nine tenths of what another was, or where the
page took more memory at the end than after half of the time.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from gradio_client import Client, handle_file
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bench.page import drawing, opened
from dmd2_demo.generate.edges import EdgeMap
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.progress import silent
from tests.embedded import EmbeddedRuntime, canny, image_to_image, lora, text

LEAST_SERVED = 0.9  # of the one who is served most
MOST_GROWTH = 0.01  # of the memory after half of the time: what an allocator's own moods are
PATIENCE = 120  # seconds that a client waits for the others to be there, and for an answer
AROUND = 5  # seconds on each side that a size of memory is the median of


@dataclass(frozen=True)
class Answer:
    """`took` seconds, of which that `share` was within the time of the test."""

    endpoint: str
    took: float
    share: float


@dataclass
class Visits:
    """What one client saw, and what failed."""

    answers: list[Answer] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Load:
    """Many clients at one address, each asking until `seconds` are over."""

    address: str
    folder: Path
    clients: int
    seconds: float

    def run(self, prompt: str) -> tuple[list[Visits], float]:
        """What each client saw, and when they began.

        All begin together, each with another endpoint; one that can't connect ends it all.
        """
        values = {"prompt": prompt, "image": handle_file(_with_settings(drawing(self.folder)))}
        self._ask(*self._client(values), until=None)
        began = list[float]()
        ready = threading.Barrier(self.clients, action=lambda: began.append(time.monotonic()))

        def visit(number: int) -> Visits:
            try:
                client, calls = self._client(values)
            except BaseException:
                ready.abort()  # nobody waits for who never comes
                raise
            ready.wait(PATIENCE)
            first = number % len(calls)
            calls = [*calls[first:], *calls[:first]]
            return self._ask(client, itertools.cycle(calls), until=began[0] + self.seconds)

        with ThreadPoolExecutor(self.clients) as pool:
            return list(pool.map(visit, range(self.clients))), began[0]

    def _client(self, values: dict[str, Any]) -> tuple[Client, list[tuple[str, dict[str, Any]]]]:
        client = Client(self.address, verbose=False, download_files=self.folder, analytics_enabled=False)
        return client, list(_calls(client, values))

    def _ask(self, client: Client, calls: Iterable[tuple[str, dict[str, Any]]], until: float | None) -> Visits:
        visits = Visits()
        for endpoint, values in calls:
            started = time.monotonic()
            if until is not None and started >= until:
                break
            try:
                client.submit(api_name=endpoint, **values).result(PATIENCE)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is counted
                visits.errors.append(f"{endpoint}: {error!r}")
            else:
                took = time.monotonic() - started
                share = 1.0 if until is None else min(1.0, (until - started) / took)
                visits.answers.append(Answer(endpoint, took, share))
        return visits


def _with_settings(path: Path) -> Path:
    """The same picture, with something in it for `/inspect`."""
    info = PngInfo()
    info.add_text("parameters", "a cat\nSteps: 4, Seed: 1")
    with Image.open(path) as image:
        image.save(path, pnginfo=info)
    return path


def _calls(client: Client, values: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every endpoint with what it needs of `values`, and its own defaults."""
    endpoints = client.view_api(print_info=False, return_format="dict")["named_endpoints"]
    for endpoint, told in endpoints.items():
        needed = [one["parameter_name"] for one in told["parameters"] if not one["parameter_has_default"]]
        yield endpoint, {name: values[name] for name in needed}


class Watch(threading.Thread):
    """Looks once a second at the bytes that a process holds and the processor time that it took, until it ends."""

    def __init__(self, process: psutil.Process) -> None:
        super().__init__(daemon=True)
        self._process = process
        self._seen: list[tuple[float, int, float]] = []
        self.start()

    def run(self) -> None:
        """Until the process is gone."""
        while self._process.is_running():
            try:
                cpu = self._process.cpu_times()
                self._seen.append((time.monotonic(), self._process.memory_info().rss, cpu.user + cpu.system))
            except psutil.NoSuchProcess:
                return
            time.sleep(1)

    def memory(self, moment: float) -> float:
        """The bytes it held about then, in the time of `time.monotonic`."""
        return median(held for when, held, _ in self._seen if abs(when - moment) <= AROUND)

    def cpu(self, begin: float, end: float) -> float:
        """The seconds of processor time it took between two moments."""
        one, other = (min(self._seen, key=lambda seen: abs(seen[0] - moment))[2] for moment in (begin, end))
        return other - one


def bare(folder: Path) -> dict[str, float]:
    """Seconds of processor time that each endpoint's pictures take of a pipeline alone, by the endpoint's defaults."""
    runtime = EmbeddedRuntime.open(folder)
    with Image.open(drawing(folder)) as file:
        image = file.convert("RGB")
    asked = {
        "/text_to_image": text(),
        "/lora": lora(),
        "/canny": canny(image),
        "/image_to_image": image_to_image(image),
    }
    taken = {}
    for endpoint, request in asked.items():
        edges = request.edges()
        with runtime.manager.lease(request.spec(), silent) as pipeline:

            def make(edges: EdgeMap | None = edges, request: Any = request, pipeline: Any = pipeline) -> float:
                began = time.process_time()
                pipeline.run(request, 0, edges and edges.image, lambda _: None)
                return time.process_time() - began

            make()
            taken[endpoint] = median(make() for _ in range(10))
    return taken | {"/contact_sheet": 4 * taken["/text_to_image"]}


def main() -> None:
    """Prints what was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", choices=tuple(FAMILIES), default="embedded")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=120)
    chosen = parser.parse_args()
    with opened(chosen.family) as (address, _), tempfile.TemporaryDirectory() as folder:
        load = Load(address, Path(folder), chosen.clients, chosen.seconds)
        watch = Watch(psutil.Process().children()[0])
        visits, began = load.run(FAMILIES[chosen.family].examples[0].prompt)
        over = time.monotonic()
        middle, end = watch.memory(began + chosen.seconds / 2), watch.memory(began + chosen.seconds)
        cpu = watch.cpu(began, over)
    well = _told(visits, middle, end)
    if chosen.family == "embedded":
        with tempfile.TemporaryDirectory() as folder:
            _tell_cost(visits, cpu, bare(Path(folder)))
    sys.exit(not well)


def _tell_cost(visits: list[Visits], cpu: float, alone: dict[str, float]) -> None:
    """Prints what all answers took of the processors, beside their pictures alone."""
    pipelines = sum(alone.get(answer.endpoint, 0.0) for visit in visits for answer in visit.answers)
    print(
        f"processor time: {cpu:.0f} s, bare pipelines for the same pictures: {pipelines:.0f} s, {cpu / pipelines:.2f} x"
    )


def _told(visits: list[Visits], middle: float, end: float) -> bool:
    """Prints it all; whether it is as it should be."""
    answers = [answer for visit in visits for answer in visit.answers]
    errors = [error for visit in visits for error in visit.errors]
    times: dict[str, list[float]] = {}
    for answer in answers:
        times.setdefault(answer.endpoint, []).append(answer.took)
    served = [sum(median(times[one.endpoint]) * one.share for one in visit.answers) for visit in visits]
    print("| endpoint | answers | median | longest |\n|---|---|---|---|")
    for endpoint, took in sorted(times.items()):
        print(f"| {endpoint} | {len(took)} | {median(took):.2f} s | {max(took):.2f} s |")
    print(f"\n{len(visits)} clients were served {min(served):.1f} to {max(served):.1f} s of work each")
    print(f"memory: {middle / 1e6:.0f} MB after half of the time, {end / 1e6:.0f} MB at the end")
    print(f"errors: {len(errors)}", *sorted(set(errors)), sep="\n  ")
    return not errors and min(served) >= LEAST_SERVED * max(served) and end <= (1 + MOST_GROWTH) * middle


if __name__ == "__main__":
    main()
