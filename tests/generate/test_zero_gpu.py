from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from dmd2_demo.device.attention import Attention
from dmd2_demo.device.memory import Memory
from dmd2_demo.device.placement import Placement
from dmd2_demo.errors import Cancelled, DemoError
from dmd2_demo.generate.requests import Request
from dmd2_demo.generate.runtime import build_runtime
from dmd2_demo.generate.zero_gpu import ForkedStudio, build_forked_runtime
from dmd2_demo.generate.zero_gpu import fork_decorator as active
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
    def lease(self, spec: PipelineSpec, report: Report, visitor: str = "") -> Iterator[FakePipeline]:
        self.pipeline.notices = (str(os.getpid()), threading.current_thread().name)
        yield self.pipeline


def never() -> bool:
    return False


def test_it_is_active_only_where_spaces_say_so() -> None:
    assert active({}) is None
    assert active({"SPACES_ZERO_GPU": "false"}) is None
    assert active({"SPACES_ZERO_GPU": "true"}) is None  # `spaces` is not installed here


def test_pictures_are_made_in_a_fork_and_come_back_whole(gpu: ZeroGpu) -> None:
    setup = FakedForkedStudio(gpu)
    request = text(seed=5, images=3)
    made = list(setup.studio.generate(request, silent, never))
    assert [picture.parameters for picture in made] == [request.parameters(i) for i in range(3)]
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


def test_what_waits_says_so_and_can_be_stopped(gpu: ZeroGpu) -> None:
    setup = FakedForkedStudio(gpu)
    told: list[Progress] = []
    list(setup.studio.generate(text(), told.append, never))
    assert told == [Progress("Waiting for a GPU")]
    with pytest.raises(Cancelled):
        list(setup.studio.generate(text(), silent, lambda: True))
    answers = iter((False, False, True))
    pictures = setup.studio.generate(text(images=8), silent, lambda: next(answers))
    next(pictures)
    with pytest.raises(Cancelled):
        next(pictures)


def on_cpu() -> Placement:
    cpu = torch.device("cpu")
    return Placement(cpu, torch.float32, Attention("sdpa"), Memory(cpu, "resident", tiers=("resident",)))


def test_everything_is_loaded_before_and_nothing_in_the_fork(gpu: ZeroGpu, capsys: pytest.CaptureFixture[str]) -> None:
    runtime, family = build_forked_runtime(FAMILY, Settings(), gpu, on_cpu)
    assert "Loading the adapter\n" in capsys.readouterr().out
    assert len(family.bases) == 2
    loads = runtime.manager.status().loads
    plain = build_runtime(FAMILY, Settings(), on_cpu)
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
    assert {progress.sentence for progress in told} == {"Waiting for a GPU"}
    assert runtime.manager.status().loads == loads


def test_the_published_family_keeps_its_first_bases_and_an_example() -> None:
    bases = FAMILIES["sdxl"].bases[:2]
    assert any(example.base in {base.name for base in bases} for example in FAMILIES["sdxl"].lora_examples)
