"""How long a visitor waits, and how much of it is the page's own doing.

python -m bench.page [--family embedded] [--runs 10]

Opens the real page as a user does, in a process of its own, and asks it through its API. The bare pipeline call is
measured in turn with the API's, so that both see the same machine: the page's own cost is the difference.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import torch
from gradio_client import Client, handle_file
from PIL import Image, ImageDraw

from dmd2_demo.generate.requests import TextToImage
from dmd2_demo.generate.runtime import Runtime, build_runtime
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.family import Family
from dmd2_demo.progress import silent
from dmd2_demo.settings import Settings

ROOT = Path(__file__).parent.parent
PATIENCE = 600  # seconds


def seconds(action: Callable[[], object]) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def importing_gradio() -> float:
    """In a fresh process."""
    command = [sys.executable, "-c", "import gradio"]
    return seconds(lambda: subprocess.run(command, check=True))  # noqa: S603 - our own words


@contextmanager
def opened(family: str) -> Iterator[tuple[str, float]]:
    """The page in a process of its own: its address, and how long it took to answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}/"
    command = [sys.executable, str(ROOT / "app.py"), "--family", family, "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        yield address, seconds(lambda: wait_for(address))
    finally:
        server.terminate()
        server.wait()


def wait_for(address: str) -> None:
    """Until the page is there."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(address).close()  # noqa: S310 - our own address
        except urllib.error.URLError:
            time.sleep(0.01)
        else:
            return
    raise TimeoutError(address)


def bare(runtime: Runtime, family: Family, steps: int) -> float:
    """A diffusers pipeline's own call, on parts that are loaded."""
    width, height = family.sizes.default
    request = TextToImage(family=family, prompt=family.examples[0].prompt, steps=steps, width=width, height=height)
    with runtime.manager.lease(request.spec(), silent) as pipeline:
        return seconds(
            lambda: pipeline.diffusers(
                prompt=request.prompt,
                width=width,
                height=height,
                num_inference_steps=steps,
                timesteps=list(request.schedule.timesteps),
                guidance_scale=0,
                generator=torch.Generator("cpu").manual_seed(request.seed),
            )
        )


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", choices=tuple(FAMILIES), default="embedded")
    parser.add_argument("--runs", type=int, default=10)
    chosen = parser.parse_args()
    family = FAMILIES[chosen.family]
    row("import gradio", median(importing_gradio() for _ in range(3)))
    with opened(chosen.family) as (address, waited), tempfile.TemporaryDirectory() as folder:
        row("page open", waited)
        client = Client(address, verbose=False, download_files=folder, analytics_enabled=False)
        ask = asking(client, family, drawing(Path(folder)))
        row("first picture, imports and loading included", ask("/text_to_image"))
        changes(ask, family)
        warm(ask, build_runtime(family, Settings(family=family.name)), family, chosen.runs)


def asking(client: Client, family: Family, picture: Path) -> Callable[..., float]:
    """A function that asks an endpoint for one picture and gives the seconds it took."""

    def ask(endpoint: str, **values: Any) -> float:
        needed = {"image": handle_file(picture)} if endpoint == "/canny" else {}
        prompt = family.examples[0].prompt
        return seconds(lambda: client.predict(api_name=endpoint, prompt=prompt, **needed, **values))

    return ask


def changes(ask: Callable[..., float], family: Family) -> None:
    """From tab to tab: the first time with what must be loaded, the second without."""
    tabs: list[tuple[str, str, dict[str, Any]]] = [
        ("to 1 step", "/text_to_image", {"steps": 1}),
        ("to canny", "/canny", {}),
        ("to LoRA", "/lora", {"base": family.bases[-1].name}),
        ("another LoRA scale", "/lora", {"base": family.bases[-1].name, "lora_scale": 0.5}),
        ("back to 4 steps", "/text_to_image", {"steps": 4}),
    ]
    for again in ("", ", again"):
        for name, endpoint, values in tabs:
            row(f"{name}{again}", ask(endpoint, **values))


def warm(ask: Callable[..., float], runtime: Runtime, family: Family, runs: int) -> None:
    """Pictures when everything is loaded, through the API and by the bare call, in turn."""
    for steps in (4, 1):
        bare(runtime, family, steps)
        ask("/text_to_image", steps=steps)
        pairs = [(ask("/text_to_image", steps=steps), bare(runtime, family, steps)) for _ in range(runs)]
        through, alone = (median(times) for times in zip(*pairs, strict=True))
        row(f"warm, {steps} step(s), through the API", through)
        row(f"warm, {steps} step(s), bare pipeline call", alone)
        row("the page's own cost", through - alone, f"{(through - alone) / alone:.0%}")


def drawing(folder: Path) -> Path:
    """A picture with edges."""
    image = Image.new("RGB", (640, 480), (40, 60, 80))
    ImageDraw.Draw(image).circle((320, 240), 150, (230, 210, 60))
    path = folder / "drawing.png"
    image.save(path)
    return path


def row(name: str, took: float, note: str = "") -> None:
    """One line."""
    print(f"{name:<48}{took:8.3f} s  {note}".rstrip(), flush=True)


if __name__ == "__main__":
    main()
