"""How fast a large file comes from a hub on this machine: by this demo over HTTP, huggingface_hub's own way, and curl.

python -m bench.download [--gigabytes 1] [--rounds 5] [--folder FOLDER]

They take turns, each time into an empty cache; the medians are shown. Ours also checks the file's SHA-256, which the
others do not: what that takes alone stands beside it. The hub here has no Xet.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import hf_hub_download
from huggingface_hub.utils import disable_progress_bars

from bench.file_hub import REPO
from dmd2_demo.hub.hub import Hub
from dmd2_demo.models.sources import File, HubRepo

_NAME = "weights.bin"
_BLOCK = 2**24


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where files are written (default: the system's temporary one)")
    arguments = parser.parse_args()
    disable_progress_bars()
    print("| way | seconds | MB/s |\n|---|---|---|")
    for way, seconds in measure(round(arguments.gigabytes * 1e9), arguments.rounds, arguments.folder).items():
        print(f"| {way} | {seconds:.2f} | {arguments.gigabytes * 1e3 / seconds:.0f} |")


def measure(size: int, rounds: int, folder: Path | None = None) -> dict[str, float]:
    """The median seconds of each way to download so many bytes."""
    taken: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place) / _NAME
        with path.open("wb") as file:
            for start in range(0, size, _BLOCK):
                file.write(os.urandom(min(_BLOCK, size - start)))
        with _served(path) as address:
            for _ in range(rounds):
                for way, download in _ways(path, address).items():
                    with tempfile.TemporaryDirectory(dir=folder) as cache:
                        started = time.perf_counter()
                        download(Path(cache))
                        taken.setdefault(way, []).append(time.perf_counter() - started)
    return {way: statistics.median(seconds) for way, seconds in taken.items()}


def _ways(path: Path, address: str) -> dict[str, Callable[[Path], object]]:
    def hashed(_: Path) -> object:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def curl(folder: Path) -> object:
        command = ["curl", "-sSf", "-o", str(folder / _NAME), f"{address}/{REPO}/resolve/main/{_NAME}"]
        return subprocess.run(command, check=True)  # noqa: S603

    return {
        "this demo, checked": lambda folder: Hub(folder, address).fetch(File(HubRepo(REPO), _NAME)),
        "huggingface_hub, not checked": lambda folder: hf_hub_download(REPO, _NAME, cache_dir=folder, endpoint=address),
        "curl, not checked": curl,
        "the check alone": hashed,
    }


@contextmanager
def _served(path: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "bench.file_hub", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:  # noqa: S603
        assert program.stdout
        try:
            yield program.stdout.readline().strip()
        finally:
            program.terminate()


if __name__ == "__main__":
    main()
