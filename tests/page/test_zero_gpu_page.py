"""The whole page on ZeroGPU: the real `spaces` package on this machine's CPU, against a small scheduler.

Where CUDA would begin, in the fork, it ends: what makes pictures here is the CPU (`lent_page.py`).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from gradio_client import handle_file
from gradio_client.exceptions import AppError

from tests.local_scheduler import LocalScheduler
from tests.served import served
from tests.visitor import Visitor

ROOT = Path(__file__).parents[2]


@contextmanager
def lent(scheduler: LocalScheduler, folder: Path, *program: str) -> Iterator[Visitor]:
    """A program that opens the page as a Space would, and who visits it."""
    environment = os.environ | {
        "SPACES_ZERO_GPU": "true",
        "SPACES_ZERO_DEVICE_API_URL": scheduler.url,
        "ZEROGPU_OFFLOAD_DIR": str(folder / "packed"),
        "HOME": str(folder / "home"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
    }
    page, address = served([sys.executable, *program, "--family", "embedded"], environment, folder / "log")
    try:
        yield Visitor(address, folder)
    finally:
        page.terminate()
        page.wait(30)


@pytest.fixture(scope="module")
def on_cpu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Visitor, LocalScheduler]]:
    """The page whose forks make pictures."""
    folder = tmp_path_factory.mktemp("lent")
    with LocalScheduler() as scheduler, lent(scheduler, folder, "-m", "tests.lent_page") as visitor:
        yield visitor, scheduler


def eventually(true: Callable[[], bool]) -> bool:
    """Whether it is within half a minute."""
    deadline = time.monotonic() + 30
    while not true() and time.monotonic() < deadline:
        time.sleep(0.1)
    return true()


def test_it_packs_everything_starts_and_tells_who_gets_no_gpu(tmp_path: Path) -> None:
    with LocalScheduler() as scheduler, lent(scheduler, tmp_path, "app.py") as visitor:
        assert len(scheduler.calls("startup-report")) == 1
        packed = sum(file.stat().st_size for file in (tmp_path / "packed").iterdir())
        assert packed > 20e6  # two UNets, two more with LoRAs, encoders, VAE and adapter in half precision
        assert "Loading everything takes" in (tmp_path / "log").read_text()
        status = visitor.client.predict(api_name="/status")
        assert status["device"] == "ZeroGPU"
        assert status["precision"] == "float16"
        shown = [one["props"] for one in visitor.client.config["components"]]
        (morph,) = [one for one in shown if one.get("value") == "Morph at one step"]
        assert morph["visible"] is False  # a click would ask for 17 times of a visitor's minutes

        def refused(**values: Any) -> str:
            with pytest.raises(AppError) as raised:
                visitor.ask("/text_to_image", **values)
            return str(raised.value)

        scheduler.answer = "quota"
        assert "Logging in to Hugging Face gives more minutes" in refused(steps=1)
        (few,) = scheduler.calls("schedule")
        refused(steps=4, images=8, width=256, height=256)
        assert int(few["durationSeconds"]) < int(scheduler.calls("schedule")[-1]["durationSeconds"])
        scheduler.answer = "busy"
        assert "No GPU was available" in refused()

        scheduler.answer = "grant"  # where there is no CUDA, the fork ends there
        assert "Something went wrong in the demo itself" in refused()
        assert scheduler.calls("release")[-1]["fail"] == "true"


def test_pictures_come_from_forks_and_each_visitor_has_a_gpu_of_their_own(
    on_cpu: tuple[Visitor, LocalScheduler],
) -> None:
    visitor, scheduler = on_cpu
    first = visitor.ask("/text_to_image", steps=4, seed=3)
    again = visitor.ask("/text_to_image", steps=4, seed=3)
    assert first.pixels == again.pixels
    assert len(set(first.pictures[0].tobytes())) > 10
    assert len(scheduler.calls("allow")) == 1  # the worker was kept
    assert visitor.ask("/lora", base="fluent", lora_scale=0.5).settings["base"] == "fluent"

    asked = len(scheduler.calls("schedule"))
    drawing = handle_file(visitor.drawing)
    scheduler.answer = "queue"
    with ThreadPoolExecutor(2) as pool:
        two = [pool.submit(visitor.ask, "/canny", image=drawing, seed=seed) for seed in (1, 2)]
        assert eventually(lambda: len(scheduler.calls("schedule")) == asked + 2)  # nobody waits for another
        scheduler.free.set()
        one, other = (asking.result() for asking in two)
    assert one.pixels != other.pixels


def test_progress_comes_step_by_step_and_stop_gives_the_gpu_back(on_cpu: tuple[Visitor, LocalScheduler]) -> None:
    visitor, scheduler = on_cpu
    scheduler.answer = "grant"
    given_back = len(scheduler.calls("release"))
    values: dict[str, Any] = {"prompt": "a fox", "images": 8, "width": 256, "height": 256}
    job = visitor.client.submit(**values, api_name="/text_to_image")
    said: set[str] = set()

    def tells_steps() -> bool:
        for unit in job.status().progress_data or ():
            said.add(unit.desc or "")
        # Whichever step is seen first; the last one of a picture may be told with the picture.
        return any(f"step {step} of 4" in word for word in said for step in (1, 2, 3))

    assert eventually(tells_steps), said
    job.cancel()
    assert eventually(lambda: len(scheduler.calls("release")) == given_back + 1)
    assert "Picture 8 of 8, step 1 of 4" not in said
    assert visitor.ask("/text_to_image", steps=1).pictures
