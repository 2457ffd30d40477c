from __future__ import annotations

import gc
import threading
import time
import weakref
from pathlib import Path
from shutil import copytree

import pytest

from dmd2_demo.generate.announcement import Announcer
from dmd2_demo.generate.requests import CommunityLora
from dmd2_demo.hub.hub import Hub
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.family import CommunityBase, Licence
from dmd2_demo.models.parts import PipelineSpec
from dmd2_demo.models.sources import Folder, HubRepo
from tests.local_hub import LocalHub

FAMILY = FAMILIES["embedded"]
EMBEDDED = Path(FAMILY.base.path) if isinstance(FAMILY.base, Folder) else Path()


def spec(source: HubRepo | Folder) -> PipelineSpec:
    base = CommunityBase("mine", "Mine", source, Licence("none", ""))
    return CommunityLora.blank(FAMILY, base=base).spec()


@pytest.fixture
def repos(local_hub: LocalHub) -> LocalHub:
    local_hub.repos = {"owner/base": EMBEDDED, "owner/vae": EMBEDDED / "vae", "owner/gated": EMBEDDED}
    local_hub.gated.add("owner/gated")
    return local_hub


def test_what_is_here_is_not_announced(cache: Path) -> None:
    assert Announcer(Hub(cache, "http://127.0.0.1:1")).announce(spec(Folder(EMBEDDED))) == ""


@pytest.mark.parametrize(
    ("repo", "said"),
    [
        ("owner/base", "The first picture downloads"),
        ("owner/vae", "can't be a base here: it is a VAE"),
        ("owner/gated", "owner/gated is gated"),
        ("owner/absent", "There is no repository owner/absent"),
    ],
)
def test_a_base_that_will_be_refused_is_told_instead_of_a_download(
    repos: LocalHub, hub: Hub, repo: str, said: str
) -> None:
    assert said in Announcer(hub).announce(spec(HubRepo(repo)))


def test_the_hub_is_asked_once_for_all_visitors(repos: LocalHub, hub: Hub) -> None:
    announcer = Announcer(hub)
    told = announcer.announce(spec(HubRepo("owner/base")))
    asked = len(repos.asked)
    assert [announcer.announce(spec(HubRepo("owner/base"))) for _ in range(20)] == [told] * 20
    assert len(repos.asked) == asked


def test_names_that_visitors_think_of_are_not_all_remembered(cache: Path) -> None:
    announcer = Announcer(Hub(cache, "http://127.0.0.1:1"))
    specs: weakref.WeakSet[PipelineSpec] = weakref.WeakSet()
    for number in range(600):
        one = spec(HubRepo(f"owner/base{number}"))
        specs.add(one)
        assert "can't be reached" in announcer.announce(one)
        del one
    gc.collect()
    assert 0 < len(specs) <= 501  # the last one may be a thread's that ends just now


def test_a_folder_that_lacks_a_file_is_told_as_such(tmp_path: Path, cache: Path) -> None:
    copytree(EMBEDDED, tmp_path / "mine")
    for path in (tmp_path / "mine" / "unet").glob("*.safetensors"):
        path.unlink()
    told = Announcer(Hub(cache, "http://127.0.0.1:1")).announce(spec(Folder(tmp_path / "mine")))
    assert told.startswith("mine has no file unet/diffusion_pytorch_model.fp16.safetensors")


def test_a_hub_that_drops_packets_holds_up_no_page(repos: LocalHub, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(hub, "missing", lambda choices: released.wait(60) or ())
    monkeypatch.setattr(hub, "fetch", lambda *_: released.wait(60))
    started = time.monotonic()
    told = Announcer(hub, patience=0.2).announce(spec(HubRepo("owner/base")))
    released.set()
    assert time.monotonic() - started < 30
    assert "does not answer at the moment" in told
