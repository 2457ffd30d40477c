"""How long a full-size UNet takes to load and how much host memory: our loader and the model card's recipe.

python -m bench.load [--config CONFIG] [--folder FOLDER]

Writes a random UNet of SDXL's published shape (5.1 GB) to a temporary folder, reads it once so that no run has to
wait for the disk more than another, and loads it in a fresh process each. "Ready" is when every weight has been
read once: a mapped file is read no sooner. Memory is the process's high-water mark less what it held before loading.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file

from bench.unet_file import write_unet
from dmd2_demo.models.catalogue import SDXL_CONFIGS
from dmd2_demo.weights import modules
from dmd2_demo.weights.modules import LoadTarget

_DTYPES = {"float16": torch.float16, "float32": torch.float32}


def ours(config: Path, weights: Path, dtype: torch.dtype) -> Any:
    """The loader of this demo."""
    return modules.unet(config, [weights], LoadTarget(torch.device("cpu"), dtype))


def recipe(config: Path, weights: Path, dtype: torch.dtype) -> Any:
    """The model card's lines, on the CPU and from a safetensors file."""
    unet = UNet2DConditionModel.from_config(json.loads(config.read_text(encoding="utf-8"))).to("cpu", dtype)
    unet.load_state_dict(load_file(weights))
    return unet


_LOADERS: dict[str, Callable[[Path, Path, torch.dtype], Any]] = {"ours": ours, "recipe": recipe}


def measure(loader: str, dtype: str, config: Path, weights: Path) -> dict[str, float]:
    """Seconds until loaded and until ready, and peak bytes of host memory, in this process."""
    before = _memory("VmRSS")
    started = time.perf_counter()
    unet = _LOADERS[loader](config, weights, _DTYPES[dtype])
    loaded = time.perf_counter() - started
    for parameter in unet.parameters():
        parameter.detach().sum()
    return {
        "loaded": loaded,
        "ready": time.perf_counter() - started,
        "peak": _memory("VmHWM") - before,
        "weights": sum(parameter.nbytes for parameter in unet.parameters()),
    }


def _memory(field: str) -> int:
    """Of this process, in bytes. Linux keeps it."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines())
    return int(status[field].split()[0]) * 1024


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=SDXL_CONFIGS.path / "unet" / "config.json")
    parser.add_argument("--folder", type=Path, help="where the file is written (default: the system's temporary one)")
    parser.add_argument("--measure", nargs=3, metavar=("LOADER", "DTYPE", "WEIGHTS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        loader, dtype, weights = arguments.measure
        print(json.dumps(measure(loader, dtype, arguments.config, Path(weights))))
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        weights = Path(folder) / "unet.safetensors"
        size = write_unet(arguments.config, weights)
        print(f"A file of {size / 1e9:.2f} GB in float16, on the CPU\n")
        print("| loader | dtype | loaded | ready | peak memory | x weights |")
        print("|---|---|---|---|---|---|")
        for dtype in _DTYPES:
            for loader in _LOADERS:
                _read(weights)
                row = _in_a_fresh_process(loader, dtype, arguments.config, weights)
                times = f"{row['loaded']:.1f} s | {row['ready']:.1f} s"
                memory = f"{row['peak'] / 1e9:.2f} GB | {row['peak'] / row['weights']:.2f}"
                print(f"| {loader} | {dtype} | {times} | {memory} |", flush=True)


def _read(path: Path) -> None:
    with path.open("rb") as file:
        while file.read(2**24):
            pass


def _in_a_fresh_process(loader: str, dtype: str, config: Path, weights: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.load", "--config", config, "--measure", loader, dtype, weights]
    done = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)  # noqa: S603
    row: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return row


if __name__ == "__main__":
    main()
