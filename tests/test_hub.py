from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save_file

from dmd2_demo.errors import Cancelled, DemoError
from dmd2_demo.hub import Hub
from dmd2_demo.progress import Progress
from dmd2_demo.sources import File, Folder, HubRepo
from tests.local_hub import TOKEN, Fault, LocalHub

REPO = "owner/model"
WEIGHTS = "unet/model.fp16.safetensors"
WEIGHTS_FILE = File(HubRepo(REPO), WEIGHTS)
CONFIG_FILE = File(HubRepo(REPO), "unet/config.json")


@pytest.fixture
def published(tmp_path: Path) -> Path:
    folder = tmp_path / "published"
    (folder / "unet").mkdir(parents=True)
    save_file({"weight": torch.arange(50_000).float()}, folder / WEIGHTS)
    (folder / "unet" / "config.json").write_text(json.dumps({"in_channels": 4}))
    return folder


@pytest.fixture
def local_hub(published: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 10_000)
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # the client's patience
    monkeypatch.setenv("HF_TOKEN", "")
    with LocalHub({REPO: published}) as hub:
        yield hub


@pytest.fixture
def hub(local_hub: LocalHub, cache: Path) -> Hub:
    return Hub(cache, local_hub.url)


def test_file_arrives_as_published_with_progress_in_bytes(hub: Hub, published: Path, local_hub: LocalHub) -> None:
    told: list[Progress] = []
    assert hub.fetch(WEIGHTS_FILE, told.append).read_bytes() == (published / WEIGHTS).read_bytes()
    assert told[0].sentence == f"Downloading {WEIGHTS}: 10 KB of 200 KB"
    assert told[-1].fraction == 1
    assert not any(asked.token for asked in local_hub.asked)


def test_cached_file_is_used_without_asking(hub: Hub, local_hub: LocalHub) -> None:
    first = hub.fetch(CONFIG_FILE)
    local_hub.asked.clear()
    assert hub.fetch(CONFIG_FILE) == first
    assert not local_hub.asked


def test_cache_serves_when_the_hub_is_gone(local_hub: LocalHub, hub: Hub, cache: Path) -> None:
    path = hub.fetch(WEIGHTS_FILE)
    assert Hub(cache, "http://127.0.0.1:1").fetch(WEIGHTS_FILE) == path


def test_offline_without_cache(cache: Path) -> None:
    with pytest.raises(DemoError, match=r"^The hub can't be reached, and unet/config.json of owner/model is not on"):
        Hub(cache, "http://127.0.0.1:1").fetch(CONFIG_FILE)


def test_offline_by_choice(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DemoError, match="runs offline"):
        hub.fetch(CONFIG_FILE)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault(status=401, code="GatedRepo"), "owner/model is gated: its licence must be accepted"),
        (Fault(status=403, code="GatedRepo"), "owner/model is gated"),
        (Fault(status=401, code="RepoNotFound"), "There is no repository owner/model on the hub, or it is private"),
        (Fault(status=404, code="RepoNotFound"), "There is no repository owner/model"),
        (Fault(status=401), r"refuses owner/model \(error 401\): this demo's token"),
        (Fault(status=403), r"refuses owner/model \(error 403\)"),
        (Fault(status=410), r"refuses owner/model \(error 410\)"),
        (Fault(status=429), "rate limit"),
        (Fault(status=500), r"problem of its own \(error 500\)"),
        (Fault(status=503), r"problem of its own \(error 503\)"),
    ],
)
def test_each_refusal_has_its_sentence(hub: Hub, local_hub: LocalHub, fault: Fault, sentence: str) -> None:
    local_hub.fail(REPO, CONFIG_FILE.name, fault, times=100)
    with pytest.raises(DemoError, match=sentence) as raised:
        hub.fetch(CONFIG_FILE)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (File(HubRepo("owner/other"), "config.json"), "There is no repository owner/other"),
        (File(HubRepo(REPO), "absent.json"), "owner/model has no file absent.json"),
        (File(HubRepo(REPO, "v9"), "unet/config.json"), "owner/model has no revision v9"),
        (File(HubRepo("no/such/id"), "config.json"), "is no repository id"),
    ],
)
def test_what_is_not_there_has_its_sentence(hub: Hub, file: File, sentence: str) -> None:
    with pytest.raises(DemoError, match=sentence):
        hub.fetch(file)


def test_passing_trouble_is_waited_out(hub: Hub, local_hub: LocalHub) -> None:
    local_hub.fail(REPO, CONFIG_FILE.name, Fault(status=503), times=2)
    local_hub.fail(REPO, CONFIG_FILE.name, Fault(status=429, only="GET"), times=2)
    assert hub.fetch(CONFIG_FILE).exists()


def test_private_repository_needs_the_token_which_no_other_host_sees(
    hub: Hub, local_hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_hub.private.add(REPO)
    with pytest.raises(DemoError, match="private"):
        hub.fetch(WEIGHTS_FILE)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    local_hub.asked.clear()
    assert hub.fetch(WEIGHTS_FILE).exists()
    assert {(asked.large, asked.token) for asked in local_hub.asked} == {(False, True), (True, False)}


def test_anonymous_repository_is_never_read_with_the_operators_token(
    hub: Hub, local_hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    local_hub.private.add(REPO)
    hub.fetch(CONFIG_FILE)
    with pytest.raises(DemoError, match="no repository owner/model on the hub, or it is private"):
        hub.fetch(File(HubRepo(REPO, anonymous=True), CONFIG_FILE.name))


@pytest.mark.parametrize("reset", [False, True])
def test_cut_download_goes_on_where_it_was(hub: Hub, local_hub: LocalHub, published: Path, reset: bool) -> None:
    local_hub.fail(REPO, WEIGHTS, Fault(cut_after=60_000, reset=reset, only="GET"))
    assert hub.fetch(WEIGHTS_FILE).read_bytes() == (published / WEIGHTS).read_bytes()
    starts = [asked.start for asked in local_hub.downloads(WEIGHTS)]
    assert len(starts) == 2
    assert starts[1] > 0


def test_stopped_download_goes_on_where_it_was(hub: Hub, local_hub: LocalHub, published: Path, cache: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.fraction and progress.fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        hub.fetch(WEIGHTS_FILE, stop)
    local_hub.asked.clear()
    assert Hub(cache, local_hub.url).fetch(WEIGHTS_FILE).read_bytes() == (published / WEIGHTS).read_bytes()
    assert local_hub.downloads(WEIGHTS)[0].start >= 100_000


def test_killed_download_goes_on_where_it_was(hub: Hub, local_hub: LocalHub, published: Path, cache: Path) -> None:
    program = f"""
import os, signal
from pathlib import Path
from huggingface_hub import constants
from dmd2_demo.hub import Hub
from dmd2_demo.sources import File, HubRepo
constants.DOWNLOAD_CHUNK_SIZE = 10_000
def kill(progress):
    if progress.fraction > 0.5:
        os.kill(os.getpid(), signal.SIGKILL)
Hub(Path({str(cache)!r})).fetch(File(HubRepo({REPO!r}), {WEIGHTS!r}), kill)
"""
    environment = os.environ | {"HF_ENDPOINT": local_hub.url}
    killed = subprocess.run([sys.executable, "-c", program], env=environment, check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    local_hub.asked.clear()
    assert hub.fetch(WEIGHTS_FILE).read_bytes() == (published / WEIGHTS).read_bytes()
    assert local_hub.downloads(WEIGHTS)[0].start >= 90_000


def test_connection_that_never_gives_a_byte_is_told(hub: Hub, local_hub: LocalHub) -> None:
    local_hub.fail(REPO, WEIGHTS, Fault(cut_after=0, only="GET"), times=100)
    with pytest.raises(DemoError, match="can't be reached"):
        hub.fetch(WEIGHTS_FILE)


@pytest.mark.parametrize("fault", [Fault(damage=True, only="GET"), Fault(shorten=1000, only="GET")])
def test_damaged_download_is_fetched_once_more(hub: Hub, local_hub: LocalHub, published: Path, fault: Fault) -> None:
    local_hub.fail(REPO, WEIGHTS, fault)
    assert hub.fetch(WEIGHTS_FILE).read_bytes() == (published / WEIGHTS).read_bytes()


@pytest.mark.parametrize("fault", [Fault(damage=True, only="GET"), Fault(shorten=1000, only="GET")])
def test_download_damaged_twice_is_named_and_leaves_nothing(
    hub: Hub, local_hub: LocalHub, cache: Path, fault: Fault
) -> None:
    local_hub.fail(REPO, WEIGHTS, fault, times=2)
    with pytest.raises(DemoError, match=rf"^{WEIGHTS} of owner/model arrived damaged twice"):
        hub.fetch(WEIGHTS_FILE)
    assert not list(cache.rglob("*.incomplete"))
    assert hub.fetch(WEIGHTS_FILE).exists()


def test_damaged_small_file_is_fetched_once_more(hub: Hub, local_hub: LocalHub, published: Path) -> None:
    local_hub.fail(REPO, CONFIG_FILE.name, Fault(damage=True, only="GET"))
    assert hub.fetch(CONFIG_FILE).read_bytes() == (published / CONFIG_FILE.name).read_bytes()


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
    with pytest.raises(DemoError, match="damaged on the hub itself: it is not a safetensors file"):
        hub.fetch(WEIGHTS_FILE)


def test_disk_is_checked_before_the_download(local_hub: LocalHub, cache: Path) -> None:
    hub = Hub(cache, local_hub.url, free=lambda folder: 500_100_000)
    with pytest.raises(DemoError, match=r"takes 200 KB of disk, and 100 KB can be used"):
        hub.fetch(WEIGHTS_FILE)
    assert not local_hub.downloads(WEIGHTS)


def test_disk_is_checked_for_all_files_at_once(local_hub: LocalHub, cache: Path, published: Path) -> None:
    room = (published / WEIGHTS).stat().st_size + 500_000_000
    hub = Hub(cache, local_hub.url, free=lambda folder: room)
    with pytest.raises(DemoError, match="To download the UNet takes 200 KB"):
        hub.fetch_all(((CONFIG_FILE,), (WEIGHTS_FILE,)), "the UNet")
    assert not local_hub.downloads(CONFIG_FILE.name)


def test_many_threads_cause_one_download(local_hub: LocalHub, cache: Path) -> None:
    local_hub.hold = threading.Event()
    hubs = [Hub(cache, local_hub.url), Hub(cache, local_hub.url)]
    with ThreadPoolExecutor(8) as pool:
        paths = [pool.submit(hubs[i % 2].fetch, WEIGHTS_FILE) for i in range(8)]
        local_hub.hold.set()
        assert len({path.result() for path in paths}) == 1
    assert len(local_hub.downloads(WEIGHTS)) == 1


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
