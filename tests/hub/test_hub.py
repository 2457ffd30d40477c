from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants

from dmd2_demo.errors import Cancelled, DemoError
from dmd2_demo.hub.hub import Hub
from dmd2_demo.hub.remembered import Remembered
from dmd2_demo.hub.safetensors_header import read_header
from dmd2_demo.hub.single_flight import SingleFlight
from dmd2_demo.models.sources import File, Folder, HubRepo
from dmd2_demo.progress import Progress
from tests.local_hub import LocalHub
from tests.small_repo import CONFIG_FILE, REPO, WEIGHTS, WEIGHTS_FILE


def test_cached_file_is_used_without_asking(hub: Hub, local_hub: LocalHub) -> None:
    first = hub.fetch(CONFIG_FILE)
    local_hub.asked.clear()
    assert hub.fetch(CONFIG_FILE) == first
    assert not local_hub.asked


def test_cache_serves_when_the_hub_is_gone(local_hub: LocalHub, hub: Hub, cache: Path) -> None:
    path = hub.fetch(WEIGHTS_FILE)
    assert Hub(cache, "http://127.0.0.1:1").fetch(WEIGHTS_FILE) == path


def test_truncated_file_in_the_cache_is_fetched_once_more(hub: Hub, published: Path) -> None:
    path = hub.fetch(WEIGHTS_FILE)
    with path.open("rb+") as file:
        file.truncate(1000)
    assert hub.fetch(WEIGHTS_FILE).read_bytes() == (published / WEIGHTS).read_bytes()


def test_truncated_pickle_in_the_cache_is_fetched_once_more(hub: Hub, published: Path) -> None:
    torch.save({"weight": torch.zeros(5000)}, published / "weights.bin")
    file = File(HubRepo(REPO), "weights.bin")
    with hub.fetch(file).open("rb+") as cached:
        cached.truncate(1000)
    assert hub.fetch(file).read_bytes() == (published / "weights.bin").read_bytes()


def test_file_that_is_damaged_on_the_hub_is_told(hub: Hub, published: Path) -> None:
    (published / WEIGHTS).write_bytes(b"not weights at all")
    for _ in range(3):
        with pytest.raises(DemoError, match="damaged on the hub itself: it is not a safetensors file"):
            hub.fetch(WEIGHTS_FILE)


@pytest.mark.parametrize("anonymous", [False, True])
def test_file_that_is_damaged_on_the_hub_is_downloaded_once(
    hub: Hub, local_hub: LocalHub, published: Path, anonymous: bool
) -> None:
    with (published / WEIGHTS).open("ab") as file:
        file.write(b"more")
    for _ in range(3):
        with pytest.raises(DemoError, match="damaged on the hub itself: it has more bytes"):
            hub.fetch(File(HubRepo(REPO, anonymous=anonymous), WEIGHTS))
    assert len(local_hub.downloads(WEIGHTS)) == 1


def test_anonymous_file_that_was_cut_in_the_cache_is_fetched_once_more(cache: Path, local_hub: LocalHub) -> None:
    file = File(HubRepo(REPO, anonymous=True), WEIGHTS)
    with Hub(cache, local_hub.url).fetch(file).open("rb+") as cached:
        cached.truncate(1000)
    assert read_header(Hub(cache, local_hub.url).fetch(file)).tensors  # by who has not asked the hub yet
    assert len(local_hub.downloads(WEIGHTS)) == 2


@pytest.mark.parametrize("anonymous", [False, True])
def test_contents_that_were_cut_before_they_had_a_name_are_not_the_hubs_fault(
    cache: Path, local_hub: LocalHub, published: Path, anonymous: bool
) -> None:
    path = Hub(cache, local_hub.url).fetch(WEIGHTS_FILE)
    with path.open("rb+") as file:
        file.truncate(1000)
    path.unlink()
    file_again = File(HubRepo(REPO, anonymous=anonymous), WEIGHTS)
    assert Hub(cache, local_hub.url).fetch(file_again).read_bytes() == (published / WEIGHTS).read_bytes()


def test_what_is_not_public_any_more_is_not_read_for_longer_because_it_is_read_often(
    hub: Hub, local_hub: LocalHub
) -> None:
    now = 0.0
    hub._allowed = Remembered(600, clock=lambda: now)
    file = File(HubRepo(REPO, anonymous=True), WEIGHTS)
    hub.fetch(file)
    local_hub.private.add(REPO)
    now = 500.0
    assert hub.fetch(file).exists()
    now = 1000.0
    with pytest.raises(DemoError, match="no repository owner/model on the hub that anyone may read"):
        hub.fetch(file)


def test_more_than_a_part_can_be_is_not_downloaded(hub: Hub, local_hub: LocalHub) -> None:
    with pytest.raises(DemoError, match=r"To download the UNet would take 200 KB: more than SDXL's"):
        hub.fetch_all(((WEIGHTS_FILE,),), "the UNet", most=100_000)
    assert not local_hub.downloads(WEIGHTS)


def test_what_the_disk_does_not_give_is_a_sentence(hub: Hub, tmp_path: Path) -> None:
    # A file that is there and can't be read, also by root: the memory of this process, at its beginning.
    (tmp_path / "model.safetensors").symlink_to("/proc/self/mem")
    with pytest.raises(DemoError, match=r"^model.safetensors of .* can't be read: Input/output error\.$"):
        hub.fetch(File(Folder(tmp_path), "model.safetensors"))


def test_disk_is_checked_before_the_download(local_hub: LocalHub, cache: Path) -> None:
    hub = Hub(cache, local_hub.url, free=lambda folder: 300_000)
    with pytest.raises(DemoError, match=r"takes 200 KB of disk, and 100 KB can be used"):
        hub.fetch(WEIGHTS_FILE)
    assert not local_hub.downloads(WEIGHTS)


def test_disk_is_checked_for_all_files_at_once(local_hub: LocalHub, cache: Path, published: Path) -> None:
    room = 2 * (published / WEIGHTS).stat().st_size
    hub = Hub(cache, local_hub.url, free=lambda folder: room)
    with pytest.raises(DemoError, match="To download the UNet takes 200 KB"):
        hub.fetch_all(((CONFIG_FILE,), (WEIGHTS_FILE,)), "the UNet")
    assert not local_hub.downloads(CONFIG_FILE.name)


def test_without_links_nothing_is_kept_twice(
    hub: Hub, published: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_SYMLINKS", True)
    path = hub.fetch(WEIGHTS_FILE)
    assert path.read_bytes() == (published / WEIGHTS).read_bytes()
    assert not path.is_symlink()
    size = path.stat().st_size
    assert sum(file.stat().st_size for file in cache.rglob("*") if file.is_file()) < 1.1 * size


def test_without_links_nothing_is_downloaded_again_to_ask_whether_anyone_may_read_it(
    cache: Path, local_hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_SYMLINKS", True)
    file = File(HubRepo(REPO, anonymous=True), WEIGHTS)
    path = Hub(cache, local_hub.url).fetch(file)
    assert not path.is_symlink()
    assert Hub(cache, local_hub.url).fetch(file) == path
    assert len(local_hub.downloads(WEIGHTS)) == 1
    with path.open("rb+") as cached:
        cached.truncate(1000)
    assert read_header(Hub(cache, local_hub.url).fetch(file)).tensors


def test_those_who_wait_are_told_of_what(hub: Hub) -> None:
    told: list[Progress] = []
    hub.fetch_all(((WEIGHTS_FILE,),), "the UNet", told.append)
    assert told[0].sentence == "Downloading the UNet: 10 KB of 200 KB"


def test_many_threads_cause_one_download(local_hub: LocalHub, cache: Path) -> None:
    local_hub.hold = threading.Event()
    hubs = [Hub(cache, local_hub.url), Hub(cache, local_hub.url)]
    with ThreadPoolExecutor(8) as pool:
        paths = [pool.submit(hubs[i % 2].fetch, WEIGHTS_FILE) for i in range(8)]
        local_hub.hold.set()
        assert len({path.result() for path in paths}) == 1
    assert len(local_hub.downloads(WEIGHTS)) == 1


def test_cache_serves_offline_by_choice(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    path = hub.fetch(WEIGHTS_FILE)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert hub.fetch(WEIGHTS_FILE) == path
    assert hub.missing(((WEIGHTS_FILE,), (CONFIG_FILE,))) == ((CONFIG_FILE, None),)


def test_who_waits_for_anothers_download_sees_it_and_may_leave(hub: Hub, local_hub: LocalHub) -> None:
    local_hub.hold = threading.Event()

    def leave(progress: Progress) -> None:
        assert progress.sentence in {"Waiting for the UNet", "Downloading the UNet: 10 KB of 200 KB"}
        raise Cancelled

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(hub.fetch, WEIGHTS_FILE, what="the UNet")
        while not local_hub.asked:
            pass
        with pytest.raises(Cancelled):
            hub.fetch(WEIGHTS_FILE, leave, "the UNet")
        local_hub.hold.set()
        assert first.result().exists()


def test_first_prefers_the_variant_and_falls_back_to_the_plain_file(hub: Hub, published: Path) -> None:
    plain = File(HubRepo(REPO), "unet/model.safetensors")
    absent = File(HubRepo(REPO), "unet/model.fp32.safetensors")
    (published / plain.name).write_bytes((published / WEIGHTS).read_bytes())
    assert hub.first((WEIGHTS_FILE, plain)).name == "model.fp16.safetensors"
    assert hub.first((absent, plain)).name == "model.safetensors"
    with pytest.raises(DemoError, match="has no file"):
        hub.first((absent, absent))


def test_missing_names_what_a_first_use_downloads(hub: Hub, local_hub: LocalHub, published: Path) -> None:
    absent = File(HubRepo(REPO), "unet/model.bf16.safetensors")
    choices = ((CONFIG_FILE,), (absent, WEIGHTS_FILE), (File(Folder(published), WEIGHTS),))
    sizes = {file.name: (published / file.name).stat().st_size for file in (CONFIG_FILE, WEIGHTS_FILE)}
    assert hub.missing(choices) == tuple((file, sizes[file.name]) for file in (CONFIG_FILE, WEIGHTS_FILE))
    hub.fetch_all(choices, "everything")
    assert hub.missing(choices) == ()


def test_missing_does_without_sizes_when_the_hub_is_gone(cache: Path) -> None:
    hub = Hub(cache, "http://127.0.0.1:1")
    assert hub.missing(((CONFIG_FILE,), (WEIGHTS_FILE,))) == ((CONFIG_FILE, None), (WEIGHTS_FILE, None))


def test_folder_gives_its_files_as_they_are(hub: Hub, published: Path) -> None:
    assert hub.fetch(File(Folder(published), WEIGHTS)) == published / WEIGHTS
    with pytest.raises(DemoError, match=r"^published has no file nothing.json"):
        hub.fetch(File(Folder(published), "nothing.json"))
    with (published / WEIGHTS).open("rb+") as file:
        file.truncate(1000)
    with pytest.raises(DemoError, match=r"model.fp16.safetensors of published is damaged: its end is missing"):
        hub.fetch(File(Folder(published), WEIGHTS))


def test_files_that_visitors_think_of_are_not_all_remembered(hub: Hub) -> None:
    for number in range(20):
        with pytest.raises(DemoError):
            hub.fetch(File(HubRepo("owner/other"), f"{number}.json"))
    gc.collect()
    assert not [one for one in gc.get_objects() if type(one) is SingleFlight]
