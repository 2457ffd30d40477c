from __future__ import annotations

import errno
import multiprocessing
import pickle
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock
from safetensors import SafetensorError
from safetensors.torch import load_file

from dmd2_demo.errors import DemoError
from dmd2_demo.progress import Progress
from dmd2_demo.weights.pickles import Pickles

TENSORS = {"one": torch.arange(6.0).reshape(2, 3), "two": torch.ones(4, dtype=torch.float16)}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    folder = tmp_path / "published"
    folder.mkdir()
    torch.save(TENSORS, folder / "weights.bin")
    return folder / "weights.bin"


@pytest.fixture
def pickles(cache: Path) -> Pickles:
    return Pickles(cache)


def holds_the_tensors(path: Path) -> bool:
    read = load_file(path)
    return read.keys() == TENSORS.keys() and all(torch.equal(read[name], TENSORS[name]) for name in TENSORS)


def test_it_is_converted_once_and_its_folder_left_alone(pickles: Pickles, published: Path, cache: Path) -> None:
    told: list[Progress] = []
    converted = pickles.as_safetensors(published, told.append)
    assert holds_the_tensors(converted)
    assert Pickles(cache).as_safetensors(published, told.append) == converted
    assert [progress.sentence for progress in told] == ["Converting weights.bin once"]
    assert list(cache.glob("weights*")) == [converted]
    assert list(published.parent.iterdir()) == [published]


def test_safetensors_pass_through(pickles: Pickles) -> None:
    assert pickles.as_safetensors(Path("a.safetensors")) == Path("a.safetensors")


def test_newer_pickle_is_converted_again(pickles: Pickles, published: Path) -> None:
    pickles.as_safetensors(published)
    torch.save({"three": torch.zeros(1)}, published)
    assert load_file(pickles.as_safetensors(published)).keys() == {"three"}


def test_what_a_lost_power_cut_is_converted_again(pickles: Pickles, published: Path, cache: Path) -> None:
    with pickles.as_safetensors(published).open("rb+") as file:
        file.truncate(100)
    assert holds_the_tensors(Pickles(cache).as_safetensors(published))


def test_cache_that_can_not_be_written_is_done_without(
    pickles: Pickles, published: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir = Path.mkdir

    def refuse(path: Path, *args: Any, **kwargs: Any) -> None:
        # The tests may run as root, whom no permission stops.
        if path == cache:
            raise OSError(errno.EROFS, "Read-only file system")
        mkdir(path, *args, **kwargs)

    monkeypatch.setattr(Path, "mkdir", refuse)
    converted = pickles.as_safetensors(published)
    assert holds_the_tensors(converted)
    assert pickles.as_safetensors(published) == converted
    assert not cache.exists()


def test_old_kind_of_pickle(pickles: Pickles, published: Path) -> None:
    torch.save(TENSORS, published, _use_new_zipfile_serialization=False)
    assert holds_the_tensors(pickles.as_safetensors(published))


def test_nested_tensors(pickles: Pickles, published: Path) -> None:
    torch.save({"epoch": 3, "state_dict": TENSORS}, published)
    assert holds_the_tensors(pickles.as_safetensors(published))


def test_many_threads_convert_once(pickles: Pickles, published: Path) -> None:
    told: list[Progress] = []
    with ThreadPoolExecutor(4) as pool:
        paths = [pool.submit(pickles.as_safetensors, published, told.append) for _ in range(4)]
        assert len({path.result() for path in paths}) == 1
    assert len(told) == 1


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_conversion_that_fails_leaves_nothing(
    error: Exception, pickles: Pickles, published: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("dmd2_demo.weights.pickles.save_file", fail)
    with pytest.raises(DemoError, match=r"^weights\.bin can't be converted: No space left on device"):
        pickles.as_safetensors(published)
    assert not list(cache.glob("weights*"))


def test_killed_at_any_moment_the_next_conversion_works_and_leaves_nothing_else(tmp_path: Path, cache: Path) -> None:
    published = tmp_path / "large.bin"
    tensors = {str(number): torch.full((200_000,), float(number)) for number in range(40)}  # 32 MB
    torch.save(tensors, published)
    fork = multiprocessing.get_context("fork")
    moments = random.Random(0)
    unfinished = 0
    for _ in range(20):
        process = fork.Process(target=Pickles(cache).as_safetensors, args=(published,))
        process.start()
        time.sleep(moments.uniform(0, 0.06))
        process.kill()
        process.join()
        unfinished += not list(cache.glob("large*.safetensors"))
        for converted in cache.glob("large*.safetensors"):
            assert load_file(converted).keys() == tensors.keys()
            converted.unlink()
    assert unfinished, "no moment was early enough"
    converted = Pickles(cache).as_safetensors(published)
    assert {path.name for path in cache.iterdir()} == {converted.name, ".locks"}
    assert all(torch.equal(tensor, tensors[name]) for name, tensor in load_file(converted).items())


def test_what_was_left_of_another_file_is_removed_and_what_is_being_converted_is_not(
    pickles: Pickles, published: Path, cache: Path
) -> None:
    abandoned, used = (cache / f"{name}.safetensors.incomplete" for name in ("abandoned", "used"))
    for folder in (abandoned, used):
        folder.mkdir(parents=True)
        (folder / ".tmp1234").write_bytes(b"half")
    (cache / ".locks").mkdir()
    with FileLock(cache / ".locks" / "used.safetensors.lock"):
        pickles.as_safetensors(published)
    assert not abandoned.exists()
    assert used.exists()


def test_full_disk_leaves_nothing_and_the_next_conversion_works(
    pickles: Pickles, published: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(tensors: dict[str, torch.Tensor], path: Path, metadata: dict[str, str]) -> None:
        (path.parent / ".tmpAbCdEf").write_bytes(b"half of them")  # where safetensors writes first
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    with monkeypatch.context() as patch:
        patch.setattr("dmd2_demo.weights.pickles.save_file", fill)
        with pytest.raises(DemoError, match="No space left on device"):
            pickles.as_safetensors(published)
    assert {path.name for path in cache.iterdir()} == {".locks"}
    assert holds_the_tensors(pickles.as_safetensors(published))


def test_room_is_checked_first(published: Path, cache: Path) -> None:
    with pytest.raises(DemoError, match=r"convert weights\.bin takes"):
        Pickles(cache, free=lambda folder: 0).as_safetensors(published)


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("evil"),))


@pytest.mark.parametrize(
    "content", [b"not a pickle", pickle.dumps({"weight": Evil()}), pickle.dumps({"weight": 1}), pickle.dumps([1])]
)
def test_what_holds_more_or_less_than_weights_is_refused(
    pickles: Pickles, tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("weights.bin").write_bytes(content)
    with pytest.raises(DemoError, match=r"^weights\.bin (is damaged or holds more than weights|holds no weights)"):
        pickles.as_safetensors(tmp_path / "weights.bin")
    assert not Path("evil").exists()


@pytest.mark.parametrize(
    "odd",
    [
        torch.zeros(1).expand(10**13),
        torch.zeros(2, 2).to_sparse(),
        torch.zeros(2, device="meta"),
        torch.zeros(2, dtype=torch.complex64),
        torch.quantize_per_tensor(torch.zeros(2), 1.0, 0, torch.qint8),
    ],
    ids=["larger than its file", "sparse", "meta", "complex", "quantised"],
)
@pytest.mark.filterwarnings("ignore")
def test_what_is_no_plain_weight_is_refused(pickles: Pickles, tmp_path: Path, odd: torch.Tensor) -> None:
    torch.save({"one": torch.zeros(2), "odd": odd}, tmp_path / "odd.bin")
    with pytest.raises(DemoError, match=r"^odd.bin (holds other than plain weights|is damaged)"):
        pickles.as_safetensors(tmp_path / "odd.bin")


def test_tied_weights_become_two(pickles: Pickles, tmp_path: Path) -> None:
    weight = torch.arange(6.0).reshape(2, 3)
    torch.save({"one": weight, "same": weight, "turned": weight.T, 3: weight}, tmp_path / "tied.bin")
    read = load_file(pickles.as_safetensors(tmp_path / "tied.bin"))
    assert read.keys() == {"one", "same", "turned"}
    assert torch.equal(read["same"], weight)
    assert torch.equal(read["turned"], weight.T)


def test_tensor_called_state_dict_is_a_tensor(pickles: Pickles, tmp_path: Path) -> None:
    torch.save({"state_dict": torch.ones(2)}, tmp_path / "one.bin")
    assert load_file(pickles.as_safetensors(tmp_path / "one.bin")).keys() == {"state_dict"}
