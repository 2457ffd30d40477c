"""SDXL at its published size on this machine: loading, changing tabs, making pictures, memory.

python -m bench.full_size [--small] [--folder FOLDER] [--memory TIER] [--attention KERNEL] [--pictures N]
python -m bench.full_size --cpu [--small] [--folder FOLDER] [--precision TYPE] [--pictures N]

Writes the `sdxl` family with random weights (17 GB of disk; --small: a few MB of the same architecture, which shows on
any machine that it works), and makes pictures in all three tabs by the page's own studio. For each change, "load" is
what comes before the pipeline starts: files, weights, places. "First" is the first picture's time in the pipeline,
"warm" the median of the next ones'. Peak memory is the device's, on a CPU the process's so far.

With --cpu, at 512 x 512 and beside the model card's recipe: see `full_size_cpu`. It takes 14 GB of memory in bfloat16
(float32: not measured), and 23 GB of disk.

At full size it was not run on a GPU yet: RESULTS.md holds what was measured.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw

from bench import full_size_cpu
from bench.random_family import FULL, SMALL, write
from dmd2_demo.device import precision
from dmd2_demo.device.cuda_driver import cuda_device_name
from dmd2_demo.generate.picture import Picture
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.requests import CannyGuided, CommunityLora, TextToImage
from dmd2_demo.generate.runtime import Runtime, build_runtime
from dmd2_demo.models.family import Family
from dmd2_demo.progress import silent
from dmd2_demo.settings import Settings

_COLUMNS = ("request", "load", "first", "warm", "peak memory", "tier", "parts loaded")


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="a tiny family of the same architecture")
    parser.add_argument("--folder", type=Path, help="where the family is written (default: the system's temporary one)")
    parser.add_argument("--memory", default="auto", choices=("auto", "resident", "offload", "sequential"))
    parser.add_argument("--attention", default="auto", choices=("auto", "sdpa", "xformers"))
    parser.add_argument("--cpu", action="store_true", help="on the CPU, beside the model card's recipe")
    parser.add_argument(
        "--precision", default="auto", choices=("auto", *precision.BY_NAME), help="what --cpu computes in"
    )
    parser.add_argument("--pictures", type=int, help="warm pictures a request (default 5, on the CPU 2)")
    arguments = parser.parse_args()
    print(machine(), "\n")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        started = time.perf_counter()
        # In a process that gives back all the memory it took.
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            family = pool.submit(write, Path(folder) / "family", SMALL if arguments.small else FULL).result()
        print(f"Writing the family took {time.perf_counter() - started:.0f} s.\n", flush=True)
        if arguments.cpu:
            _on_cpu(Path(folder), arguments)
            return
        runtime = build_runtime(family, Settings(memory=arguments.memory, attention=arguments.attention))
        print(f"| {' | '.join(_COLUMNS)} |\n|{'---|' * len(_COLUMNS)}")
        for row in measure(runtime, arguments.pictures or 5):
            print(f"| {' | '.join(row)} |", flush=True)


def _on_cpu(folder: Path, arguments: argparse.Namespace) -> None:
    chosen = arguments.precision
    if chosen == "auto":
        chosen = str(precision.choose_fastest_on_cpu()).removeprefix("torch.")
    size = " x ".join(map(str, full_size_cpu.small_enough(SMALL if arguments.small else FULL).size))
    print(f"{chosen}, {size}, {torch.get_num_threads()} threads\n")
    table = full_size_cpu.rows(folder, small=arguments.small, chosen=chosen, pictures=arguments.pictures or 2)
    for number, row in enumerate(table):
        print(f"| {' | '.join(row)} |", flush=True)
        if number == 0:
            print("|---" * len(row) + "|")


def machine() -> str:
    """What this was measured on, and of which commit."""
    git = ["git", "describe", "--always", "--dirty", "--abbrev=10"]
    try:
        here = Path(__file__).parent
        commit = subprocess.run(git, cwd=here, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        commit = "unknown"
    device = cuda_device_name() or f"{os.cpu_count()} cores of {platform.machine()}, no GPU"
    return f"Commit {commit}; {device}; torch {torch.__version__}, Python {platform.python_version()}"


def requests(family: Family) -> Iterator[tuple[str, Request]]:
    """What a visitor does who tries every tab."""
    drawing = Image.new("RGB", family.sizes.default)
    ImageDraw.Draw(drawing).ellipse([side // 4 * corner for corner in (1, 3) for side in drawing.size], fill="white")
    common: dict[str, Any] = {"family": family, "prompt": family.examples[0].prompt}
    width, height = family.sizes.default

    def text(steps: int) -> Request:
        return TextToImage(**common, width=width, height=height, steps=steps)

    def lora(scale: float) -> Request:
        return CommunityLora(**common, width=width, height=height, base=family.bases[0], lora_scale=scale)

    yield "text, 4 steps", text(4)
    yield "text, 1 step", text(1)
    yield "back to 4 steps", text(4)
    yield "canny", CannyGuided(**common, image=drawing)
    yield "LoRA at 1.0", lora(1.0)
    yield "LoRA at 0.7", lora(0.7)
    yield "back to 4 steps", text(4)


def measure(runtime: Runtime, pictures: int) -> Iterator[tuple[str, ...]]:
    """A row for each request, as `_COLUMNS` says."""
    for name, request in requests(runtime.studio.family):
        _forget_peak()
        before = runtime.manager.status().loads
        started = time.perf_counter()
        first = _make(runtime, request)
        load = time.perf_counter() - started - first.seconds
        warm = statistics.median(_make(runtime, request).seconds for _ in range(pictures))
        times = (f"{load:.2f} s", f"{first.seconds:.3f} s", f"{warm:.3f} s")
        tier = runtime.backend.described()["memory"]
        yield name, *times, f"{_peak() / 1e9:.2f} GB", tier, str(runtime.manager.status().loads - before)


def _make(runtime: Runtime, request: Request) -> Picture:
    (picture,) = runtime.studio.generate(request, silent, lambda: False)
    for notice in picture.notices:
        print(notice, file=sys.stderr)
    return picture


def _forget_peak() -> None:
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def _peak() -> int:
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    import resource  # noqa: PLC0415 - not on Windows, where there is no other way either

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
