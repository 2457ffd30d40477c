"""The way from the hub, its refusals and its cuts, with the real client."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants

from dmd2_demo.errors import Cancelled, DemoError
from dmd2_demo.hub.hub import Hub
from dmd2_demo.models.sources import File, HubRepo
from dmd2_demo.progress import Progress
from tests.local_hub import TOKEN, Fault, LocalHub
from tests.small_repo import CONFIG_FILE, REPO, WEIGHTS, WEIGHTS_FILE


def test_file_arrives_as_published_with_progress_in_bytes(hub: Hub, published: Path, local_hub: LocalHub) -> None:
    told: list[Progress] = []
    assert hub.fetch(WEIGHTS_FILE, told.append).read_bytes() == (published / WEIGHTS).read_bytes()
    assert told[0].sentence == f"Downloading {WEIGHTS}: 10 KB of 200 KB"
    assert told[-2].fraction == 1
    assert told[-1] == Progress(f"Checking {WEIGHTS}")
    assert not any(asked.token for asked in local_hub.asked)


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
    anonymous = File(HubRepo(REPO, anonymous=True), CONFIG_FILE.name)
    with pytest.raises(DemoError, match="There is no repository owner/model on the hub that anyone may read"):
        hub.fetch(anonymous)
    local_hub.private.clear()
    local_hub.gated.add(REPO)
    with pytest.raises(DemoError, match="owner/model is gated; only what anyone may read"):
        hub.fetch(anonymous)


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
    size = (published / WEIGHTS).stat().st_size
    ((_, remaining),) = hub.missing(((WEIGHTS_FILE,),))
    assert remaining is not None
    assert 0 < remaining <= size - 100_000
    local_hub.asked.clear()
    assert Hub(cache, local_hub.url).fetch(WEIGHTS_FILE).read_bytes() == (published / WEIGHTS).read_bytes()
    assert local_hub.downloads(WEIGHTS)[0].start >= 100_000


def test_killed_download_goes_on_where_it_was(hub: Hub, local_hub: LocalHub, published: Path, cache: Path) -> None:
    program = f"""
import os, signal
from pathlib import Path
from huggingface_hub import constants
from dmd2_demo.hub.hub import Hub
from dmd2_demo.models.sources import File, HubRepo
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


def test_killed_at_any_moment_the_next_download_works_and_leaves_nothing_else(
    published: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save({"weight": torch.arange(5_000_000).float()}, published / "unet" / "large.bin")  # 20 MB
    large, content = File(HubRepo(REPO), "unet/large.bin"), (published / "unet" / "large.bin").read_bytes()
    monkeypatch.setenv("HF_TOKEN", "")
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 50_000)
    fork = multiprocessing.get_context("fork")
    moments = random.Random(0)
    unfinished = 0
    with LocalHub({REPO: published}) as local_hub:
        began = time.monotonic()
        whole = fork.Process(target=Hub(cache, local_hub.url).fetch, args=(large,))
        whole.start()
        whole.join()
        took = time.monotonic() - began
        shutil.rmtree(cache)
        for _ in range(20):
            process = fork.Process(target=Hub(cache, local_hub.url).fetch, args=(large,))
            process.start()
            time.sleep(moments.uniform(0, 1.5 * took))
            process.kill()
            process.join()
            blobs = {path.suffix == ".incomplete": path for path in cache.glob("models--*/blobs/*")}
            assert len(blobs) == len(list(cache.glob("models--*/blobs/*")))  # one of each kind at most
            unfinished += True in blobs
            if False in blobs:
                assert blobs[False].read_bytes() == content
                shutil.rmtree(cache)
        assert unfinished > 2, "few moments were in the middle"
        assert Hub(cache, local_hub.url).fetch(large).read_bytes() == content
    assert not list(cache.rglob("*.incomplete"))


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
