from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants

from dmd2_demo.generate import edges
from dmd2_demo.hub.hub import Hub
from dmd2_demo.open_page import open_page
from dmd2_demo.settings import Settings
from dmd2_demo.weights.loader import PartLoader
from tests.local_hub import LocalHub
from tests.served import address_of, free_port
from tests.small_repo import REPO, write_repo
from tests.tiny import TinyFamily, write_family


@pytest.fixture(scope="session", autouse=True)
def hub_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keeps what tests fetch and convert out of the caches of whoever runs them."""
    home = tmp_path_factory.mktemp("hub_home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HOME", str(home))
        patch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
        yield


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """Fails a test that leaves changed what programs go by that later tests start."""
    before = _variables()
    yield
    assert _variables() == before


def _variables() -> dict[str, str]:
    # Some libraries set variables of their own when they are imported.
    return {name: value for name, value in os.environ.items() if name.startswith(("HF_", "no_proxy", "TMPDIR"))}


@pytest.fixture(scope="session")
def family(tmp_path_factory: pytest.TempPathFactory) -> TinyFamily:
    """A whole random family on disk; tests read it and don't write to it."""
    return write_family(tmp_path_factory.mktemp("family"))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A hub's cache that is empty at first."""
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where the real page with the embedded family is served, in this process and to all tests."""
    # The page imports it in a thread, with warnings off, which pytest would turn on again at the next test.
    edges.detector()
    page = open_page(Settings("embedded", port=free_port()))
    yield address_of(page)
    page.close()


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """The folder that `local_hub` serves as owner/model."""
    folder = tmp_path / "published"
    write_repo(folder)
    return folder


@pytest.fixture
def local_hub(published: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    """A hub with one repository, for a client that reads in small steps and never waits before it tries again."""
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 10_000)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setenv("HF_TOKEN", "")
    with LocalHub({REPO: published}) as hub:
        yield hub


@pytest.fixture
def hub(local_hub: LocalHub, cache: Path) -> Hub:
    """Our way to that hub."""
    return Hub(cache, local_hub.url)


@pytest.fixture
def loader(cache: Path) -> PartLoader:
    """Loads onto the CPU, in full precision, from folders alone: there is no hub to ask."""
    return PartLoader(Hub(cache, "http://127.0.0.1:1"), torch.device("cpu"), torch.float32, cache / "converted")
