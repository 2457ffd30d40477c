"""A process that is killed while it swaps weights: the next one makes the very same pictures."""

from __future__ import annotations

import multiprocessing
import random
import time
from hashlib import sha256
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch
from safetensors.torch import load_file

from dmd2_demo.progress import Progress
from tests.embedded import EmbeddedRuntime, lora, text

_FORK = multiprocessing.get_context("fork")
_SMALL = {"width": 64, "height": 64}
REQUESTS = (text(**_SMALL), text(steps=1, **_SMALL), lora(**_SMALL))


def swap(converted: Path, pipe: Connection) -> None:
    """Goes through the requests; tells each progress's sentence, and in the end the pictures' hashes."""
    torch.set_num_threads(1)  # the parent's pool of threads did not come along
    runtime = EmbeddedRuntime.open(converted)

    def report(progress: Progress) -> None:
        pipe.send(progress.sentence)

    made = [next(runtime.studio.generate(request, report, lambda: False)).image for request in REQUESTS]
    pipe.send([sha256(image.tobytes()).hexdigest() for image in made])


def start(converted: Path) -> tuple[BaseProcess, Connection]:
    ours, theirs = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=swap, args=(converted, theirs))
    process.start()
    theirs.close()
    return process, ours


def whole(converted: Path) -> tuple[list[str], list[str]]:
    """What a run says that nobody kills, and its pictures."""
    process, pipe = start(converted)
    said: list[str] = []
    while isinstance(told := pipe.recv(), str):
        said.append(told)
    process.join()
    return said, told


def test_killed_at_any_moment_of_a_swap_the_next_process_makes_the_same_pictures(tmp_path: Path, cache: Path) -> None:
    said, pictures = whole(tmp_path / "reference")
    assert len(set(pictures)) == 3
    assert "Converting dmd2_sdxl_1step_unet_fp16.bin once" in said
    (reference,) = (load_file(path) for path in (tmp_path / "reference").glob("*.safetensors"))
    moments = random.Random(0)
    for _ in range(20):
        process, pipe = start(cache)
        for _ in range(moments.randrange(len(said))):
            pipe.recv()
        time.sleep(moments.uniform(0, 0.1))
        process.kill()
        process.join()
        pipe.close()
        for path in cache.glob("*.safetensors"):
            assert load_file(path).keys() == reference.keys()
            path.unlink()
    assert whole(cache) == (said, pictures)
    assert {path.suffix for path in cache.iterdir()} == {".safetensors", ""}
    assert len(list(cache.iterdir())) == 2
