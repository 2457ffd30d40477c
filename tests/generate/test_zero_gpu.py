from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from dmd2_demo.device.attention import Attention
from dmd2_demo.device.memory import Memory
from dmd2_demo.device.placement import Placement
from dmd2_demo.errors import Cancelled, DemoError
from dmd2_demo.generate.forked_studio import ForkedStudio
from dmd2_demo.generate.gpu_seconds import gpu_seconds
from dmd2_demo.generate.identity import identified
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.requests import CommunityLora, TextToImage
from dmd2_demo.generate.runtime import build_runtime
from dmd2_demo.generate.zero_gpu import active, build_forked_runtime
from dmd2_demo.hub.hub import Hub
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.parts import PipelineSpec
from dmd2_demo.progress import Progress, Report, silent
from dmd2_demo.settings import Settings
from tests.embedded import FAMILY, canny, lora, text
from tests.fakes import FakePipeline
from tests.forking import ZeroGpu


@pytest.fixture
def gpu() -> Iterator[ZeroGpu]:
    zero = ZeroGpu()
    yield zero
    zero.close()


class FakedForkedStudio:
    """A studio whose pipeline says in a notice which process drew."""

    def __init__(self, gpu: ZeroGpu) -> None:
        self.pipeline = FakePipeline()
        self.studio = ForkedStudio(replace(FAMILY, words=None), self.lease, gpu)

    @contextmanager
    def lease(
        self, spec: PipelineSpec, report: Report, visitor: str = "", pixels: int = 0, *, yields: bool = False
    ) -> Iterator[FakePipeline]:
        self.pipeline.notices = (str(os.getpid()), threading.current_thread().name)
        yield self.pipeline


def never() -> bool:
    return False


def test_it_is_active_only_where_spaces_say_so_and_have_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    assert active({}) is None
    assert active({"SPACES_ZERO_GPU": "false"}) is None
    monkeypatch.setitem(sys.modules, "spaces", None)
    assert active({"SPACES_ZERO_GPU": "true"}) is None


def test_pictures_are_made_in_a_fork_and_come_back_whole(gpu: ZeroGpu) -> None:
    setup = FakedForkedStudio(gpu)
    request = text(seed=5, images=3)
    made = list(setup.studio.generate(request, silent, never))
    assert gpu.asked == [gpu_seconds(request)]
    assert [picture.parameters for picture in made] == [request.parameters(i) | {"weights": []} for i in range(3)]
    assert [picture.image.getpixel((0, 0)) for picture in made] == [(5, 0, 0), (6, 0, 0), (7, 0, 0)]
    (process,) = {picture.notices[0] for picture in made}
    assert process != str(os.getpid())
    assert setup.pipeline.drawn == []  # what the fork changed is lost


def test_a_worker_is_used_again(gpu: ZeroGpu) -> None:
    setup = FakedForkedStudio(gpu)
    processes = {picture.notices[0] for _ in range(3) for picture in setup.studio.generate(text(), silent, never)}
    assert gpu.forks == len(processes) == 1


def test_a_sentence_comes_back_as_one(gpu: ZeroGpu) -> None:
    setup = FakedForkedStudio(gpu)

    def fails(step: int) -> None:
        raise DemoError("The model's numbers overflowed.")

    setup.pipeline.before_step = fails
    with pytest.raises(DemoError, match="numbers overflowed"):
        list(setup.studio.generate(text(), silent, never))
    setup.pipeline.before_step = lambda step: None
    gpu.close()
    assert list(setup.studio.generate(text(), silent, never))


def test_what_was_not_foreseen_is_logged_in_the_fork_and_is_no_sentence(gpu: ZeroGpu, tmp_path: Path) -> None:
    log = logging.FileHandler(tmp_path / "log")
    logging.getLogger("dmd2_demo").addHandler(log)
    setup = FakedForkedStudio(gpu)

    def fails(step: int) -> None:
        raise ZeroDivisionError("a bug")

    setup.pipeline.before_step = fails
    with pytest.raises(RuntimeError, match="in the fork"):
        list(setup.studio.generate(text(), silent, never))
    logging.getLogger("dmd2_demo").removeHandler(log)
    log.close()
    assert "ZeroDivisionError: a bug" in (tmp_path / "log").read_text()


def test_each_step_is_told_from_the_fork(gpu: ZeroGpu) -> None:
    setup = FakedForkedStudio(gpu)
    told: list[Progress] = []
    list(setup.studio.generate(text(steps=4), told.append, never))
    assert [progress.sentence for progress in told] == [
        "Waiting for a GPU",
        "The GPU is here",
        *(f"Step {step} of 4" for step in (1, 2, 3, 4)),
    ]


def test_stop_is_heard_at_the_next_step_and_ends_the_work_in_the_fork(gpu: ZeroGpu, tmp_path: Path) -> None:
    setup = FakedForkedStudio(gpu)
    began = tmp_path / "began"

    def slow(step: int) -> None:
        with began.open("a") as file:
            file.write(f"{step}\n")
        time.sleep(0.3)

    setup.pipeline.before_step = slow
    told: list[Progress] = []
    with pytest.raises(Cancelled):
        list(setup.studio.generate(text(steps=4, images=8), told.append, lambda: len(told) > 3))
    assert told[-1].sentence == "Picture 1 of 8, step 2 of 4"
    time.sleep(0.6)
    assert len(began.read_text().splitlines()) <= 8  # of 32: heard at the third's end, or a little later


def test_who_stops_before_asks_for_no_gpu(gpu: ZeroGpu) -> None:
    setup = FakedForkedStudio(gpu)
    with pytest.raises(Cancelled):
        list(setup.studio.generate(text(), silent, lambda: True))
    assert gpu.asked == []


def test_edges_are_found_before_a_gpu_is_asked_for(gpu: ZeroGpu) -> None:
    setup = FakedForkedStudio(gpu)
    gpu.refuses = RuntimeError("no GPU")
    with pytest.raises(RuntimeError, match="no GPU"):
        list(setup.studio.generate(canny(Image.new("RGB", (64, 64))), silent, never))
    gpu.refuses = None
    broken = Image.new("RGB", (64, 64))
    broken.close()
    with pytest.raises(ValueError, match="closed"):
        list(setup.studio.generate(canny(broken), silent, never))
    assert len(gpu.asked) == 1


def test_more_work_asks_for_more_seconds_and_little_work_for_few() -> None:
    sdxl = FAMILIES["sdxl"]
    one, eight = (gpu_seconds(TextToImage(family=sdxl, prompt="a cat", images=count)) for count in (1, 8))
    small = gpu_seconds(TextToImage(family=sdxl, prompt="a cat", images=8, width=512, height=512, steps=1))
    merged = gpu_seconds(CommunityLora(family=sdxl, prompt="a cat"))
    assert small < eight
    assert one < merged
    assert gpu_seconds(TextToImage(family=sdxl, prompt="a {cat|dog} {b|c}", images=2)) == eight
    # With ZeroGPU's factor of 1.5 a visitor without an account, who has 120 s a day, begins another picture after 90.
    assert one * 1.5 <= 30


def on_cpu() -> Placement:
    cpu = torch.device("cpu")
    return Placement(cpu, torch.float32, Attention("sdpa"), Memory(cpu, "resident", tiers=("resident",)))


def test_everything_is_loaded_before_and_nothing_in_the_fork(
    gpu: ZeroGpu, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = build_forked_runtime(FAMILY, Settings(), gpu, Hub(), on_cpu)
    assert "Loading the adapter\n" in capsys.readouterr().out
    family = runtime.studio.family
    assert len(family.bases) == 2
    loads = runtime.manager.status().loads
    plain = build_runtime(FAMILY, Settings(), choose=on_cpu)
    drawing = Image.new("RGB", (64, 64))
    ImageDraw.Draw(drawing).circle((32, 32), 20, (255, 255, 255))
    requests: list[Request] = [text(steps=4), text(steps=1), canny(drawing)]
    # Scales go back and forth in one worker, and start from the bare base in the next.
    requests += [lora(base=base, lora_scale=scale) for base in family.bases for scale in (0.5, 1.0, 0.5, 0)]
    told: list[Progress] = []
    for request in requests:
        theirs = next(plain.studio.generate(request, silent, never))
        for _ in range(2):
            (ours,) = runtime.studio.generate(request, told.append, never)
            assert np.abs(np.asarray(ours.image, int) - np.asarray(theirs.image, int)).max() <= 1
        if request is requests[-2]:
            gpu.close()
    assert gpu.forks == 2
    assert {"Waiting for a GPU", "Step 4 of 4"} <= {progress.sentence for progress in told}
    assert not any(progress.sentence.startswith("Loading") for progress in told)
    assert runtime.manager.status().loads == loads
    # The platform takes the files away, and their hashes are told all the same.
    weights = identified(Hub(), requests[-1].spec())
    assert len(weights) > 3
    monkeypatch.setattr(Hub, "on_disk", lambda *_: None)
    gpu.close()
    (ours,) = runtime.studio.generate(requests[-1], silent, never)
    assert ours.parameters["weights"] == weights
