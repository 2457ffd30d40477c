from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
from PIL import Image

from bench.full_size_cpu import TINY, Made, ours, recipe, requests
from bench.host_peak import HostPeak
from bench.random_family import SMALL, write


def test_both_make_the_same_pictures_of_the_same_files(tmp_path: Path) -> None:
    family = write(tmp_path / "family", SMALL)
    made = dict(zip(requests(family), ours(tmp_path, family, "float32", 1), strict=True))
    for name in ("text, 1 step", "canny", "LoRA"):
        card = recipe(tmp_path, family, name, "float32", 1)
        with Image.open(made[name].image) as one, Image.open(card.image) as two:
            assert np.abs(np.asarray(one, int) - np.asarray(two, int)).max() <= (name == "LoRA")
            assert len(np.unique(np.asarray(one))) > 50  # weights at random still draw something
    assert made[TINY].image.read_bytes() != made["text, 1 step"].image.read_bytes()
    assert all(one.warm > 0 and 0 < one.own <= one.both for one in made.values())


def test_what_a_process_tells_is_read_again(tmp_path: Path) -> None:
    made = Made(1.0, 2.0, 3.0, 4, 5, tmp_path / "a.png")
    assert Made.read(str(made)) == made


def test_own_memory_and_mapped_files_are_told_apart(tmp_path: Path) -> None:
    size = 64 * 2**20
    path = tmp_path / "file"
    path.write_bytes(bytes(size))
    with HostPeak() as nothing:
        pass
    with HostPeak() as own:
        # Not from the heap, which may hold that much of earlier tests.
        held = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE)
        held.write(b"\1" * size)
    assert own.own - nothing.own > size * 0.8
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, HostPeak() as files:
        assert sum(mapped[::4096]) == 0
    assert files.mapped - nothing.mapped > size * 0.8
    assert files.both >= files.mapped
    held.close()
