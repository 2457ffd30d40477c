from __future__ import annotations

import errno
import glob
import json
import multiprocessing
import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from dmd2_demo.generate.picture import Picture
from dmd2_demo.generate.requests import TextToImage
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.process import prepare


def picture(prompt: str = "a cat", seed: int = 7) -> Picture:
    request = TextToImage(family=FAMILIES["embedded"], prompt=prompt, seed=seed, width=64, height=72)
    gradient = Image.linear_gradient("L").resize((64, 72)).convert("RGB")
    return Picture(gradient, request.parameters(), seconds=0.1)


def test_saved_file_is_a_png_of_the_very_pixels_named_by_its_seed(tmp_path: Path) -> None:
    made = picture()
    path = made.save(tmp_path)
    assert path.parent == tmp_path
    assert path.name.startswith("7-")
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.mode == "RGB"
        assert image.tobytes() == made.image.tobytes()


@pytest.mark.parametrize("prompt", ["a cat", "un été, 語, 🦊", 'quotes " and \\ and\nlines', "x" * 10_000])
def test_settings_are_read_back_from_the_file(tmp_path: Path, prompt: str) -> None:
    made = picture(prompt)
    with Image.open(made.save(tmp_path)) as image:
        image.load()
        assert json.loads(image.info["dmd2"]) == made.parameters
        assert image.info["parameters"].startswith(f"{prompt}\nSteps: 4, ")


@pytest.mark.parametrize(
    ("prompt", "chunk"), [("a cat", b"tEXt"), ("un été", b"tEXt"), ("語", b"iTXt"), ("🦊", b"iTXt")]
)
def test_plain_text_is_in_the_chunk_that_every_tool_reads(tmp_path: Path, prompt: str, chunk: bytes) -> None:
    written = picture(prompt).save(tmp_path).read_bytes()
    assert chunk + b"parameters\0" in written
    assert (chunk if chunk == b"tEXt" else b"iTXt") + b"dmd2\0" in written


def test_two_pictures_of_one_seed_are_two_files(tmp_path: Path) -> None:
    assert picture().save(tmp_path) != picture().save(tmp_path)


def test_a_picture_that_finds_no_room_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = picture()

    def fill(file: Any, *_: object, **__: object) -> None:
        file.write(b"half a picture")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(made.image, "save", fill)
        with pytest.raises(OSError, match="No space left"):
            made.save(tmp_path)
    assert not list(tmp_path.iterdir())
    with Image.open(made.save(tmp_path)) as image:
        assert image.tobytes() == made.image.tobytes()


def save_for_ever(made: Picture, temporary: Path) -> None:
    """What a page does, in a process of its own."""
    os.environ["TMPDIR"], tempfile.tempdir = str(temporary), None
    prepare()
    folder = Path(tempfile.mkdtemp(prefix="dmd2-"))
    os.fdopen = _slowly  # type: ignore[assignment] # this process is nobody else's
    while True:
        made.save(folder)


@contextmanager
def _slowly(handle: int, mode: str) -> Iterator[Any]:
    """A file on a disk that takes a quarter of a second for a megabyte."""
    with open(handle, mode) as file:

        def write(data: bytes) -> None:
            for start in range(0, len(data), 100_000):
                file.write(data[start : start + 100_000])
                file.flush()
                time.sleep(0.025)

        yield SimpleNamespace(write=write)


def files_in(temporary: Path) -> set[str]:
    """Of pictures; pathlib's glob fails where somebody removes folders meanwhile."""
    return set(glob.glob(f"{temporary}/*/dmd2-*/*"))  # noqa: PTH207


def test_killed_at_any_moment_no_part_of_a_picture_is_taken_for_whole(tmp_path: Path) -> None:
    noise = Image.merge("RGB", [Image.effect_noise((640, 640), 90)] * 3)
    made = replace(picture(), image=noise)
    fork = multiprocessing.get_context("fork")
    moments = random.Random(0)
    unfinished, whole = 0, 0
    for _ in range(20):
        before = files_in(tmp_path)
        process = fork.Process(target=save_for_ever, args=(made, tmp_path), daemon=True)
        process.start()
        deadline = time.monotonic() + 20
        while files_in(tmp_path) <= before and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(moments.uniform(0, 0.6))  # about the second file is begun then
        process.kill()
        process.join()
        (lock,) = tmp_path.glob("*/lock")  # what those before it left is gone
        unfinished += len(list(lock.parent.glob("*/*.incomplete")))
        for path in lock.parent.glob("*/*.png"):
            with Image.open(path) as image:
                assert image.tobytes() == noise.tobytes()
            whole += 1
        os.utime(lock, (0, 0))  # as if a minute had gone by
    assert unfinished, "no moment was in the middle of a picture"
    assert whole, "no moment was late enough"
