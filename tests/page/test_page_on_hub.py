"""The whole page with the sdxl family, from a hub that serves the embedded weights under the published names."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gradio_client.exceptions import AppError

from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.sources import Folder, HubRepo
from tests.local_hub import LocalHub
from tests.visitor import Visitor

ROOT = Path(__file__).parent.parent.parent
EMBEDDED = ROOT / "dmd2_demo" / "embedded"
SIZE = {"width": 512, "height": 512}


@pytest.fixture(scope="module")
def served() -> Iterator[LocalHub]:
    family = FAMILIES["sdxl"]
    bases = [base.source.id for base in family.bases if isinstance(base.source, HubRepo)]
    repos = dict.fromkeys(bases, EMBEDDED / "base") | {
        "tianweiy/DMD2": EMBEDDED / "dmd2",
        "madebyollin/sdxl-vae-fp16-fix": EMBEDDED / "base" / "vae",
        "TencentARC/t2i-adapter-canny-sdxl-1.0": EMBEDDED / "t2i-adapter-canny",
        "somebody/fluent": EMBEDDED / "community" / "fluent",
        "somebody/vae": EMBEDDED / "base" / "vae",
    }
    with LocalHub(repos, private={"RunDiffusion/Juggernaut-XL-v9"}, gated={"Lykon/dreamshaper-xl-1-0"}) as hub:
        yield hub


@pytest.fixture(scope="module")
def visitor(served: LocalHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    folder = tmp_path_factory.mktemp("page")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"HF_ENDPOINT": served.url, "HF_HOME": str(folder / "home"), "HF_TOKEN": ""}
    command = [sys.executable, "app.py", "--family", "sdxl", "--port", str(port), "--allow-custom-bases"]
    page = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        _wait_for(port, page)
        yield Visitor(f"http://127.0.0.1:{port}", folder)
    finally:
        page.terminate()
        page.wait(30)


def _wait_for(port: int, page: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert page.poll() is None
            time.sleep(0.3)
        else:
            return
    raise TimeoutError


def test_every_tab_draws(visitor: Visitor) -> None:
    for endpoint, values in (
        ("/text_to_image", SIZE | {"steps": 1}),
        ("/lora", SIZE | {"base": "realvis"}),
        ("/canny", {"guided_steps": 4}),
    ):
        assert len(visitor.ask(endpoint, **values).pictures) == 1
    status = visitor.client.predict(api_name="/status")
    assert status["family"] == "sdxl"


@pytest.mark.parametrize(
    ("base", "sentence"),
    [
        ("dreamshaper", "Lykon/dreamshaper-xl-1-0 is gated"),
        ("juggernaut", "There is no repository RunDiffusion/Juggernaut-XL-v9 on the hub, or it is private"),
        ("nobody/nothing", "There is no repository nobody/nothing on the hub that anyone may read"),
        ("somebody/vae", "somebody/vae can't be a base here: it is a VAE"),
        ("../etc", "'../etc'"),
    ],
)
def test_base_that_can_not_be_had_is_told_in_one_sentence(visitor: Visitor, base: str, sentence: str) -> None:
    with pytest.raises(AppError) as raised:
        visitor.ask("/lora", base=base, **SIZE)
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


def test_visitors_own_base_draws(visitor: Visitor) -> None:
    assert len(visitor.ask("/lora", base="somebody/fluent", **SIZE).pictures) == 1


def test_only_needed_files_are_fetched_and_each_once(served: LocalHub, visitor: Visitor) -> None:
    visitor.ask("/text_to_image", steps=1, **SIZE)
    fetched = [(asked.repo, asked.name) for asked in served.asked if asked.method == "GET" and asked.start >= 0]
    assert len(fetched) == len(set(fetched))
    assert ("stabilityai/stable-diffusion-xl-base-1.0", "unet/config.json") in fetched
    sdxl = {name for repo, name in fetched if repo == "stabilityai/stable-diffusion-xl-base-1.0"}
    assert not any(name.startswith("vae/") or "unet/diffusion" in name for name in sdxl)
    assert isinstance(FAMILIES["embedded"].base, Folder)


def test_a_visitor_whose_download_hangs_holds_up_nobody(served: LocalHub, visitor: Visitor, tmp_path: Path) -> None:
    visitor.ask("/text_to_image", steps=1, **SIZE)
    served.hold = threading.Event()
    other = Visitor(visitor.client.src, tmp_path)
    held = other.client.submit(prompt="a cat", base="animagine-4", api_name="/lora", **SIZE)
    until(lambda: any(asked.repo == "cagliostrolab/animagine-xl-4.0" and asked.large for asked in served.asked))
    try:
        for seed in range(3):
            assert visitor.ask("/text_to_image", steps=1, seed=seed, **SIZE).pictures
        assert not held.done()
    finally:
        served.hold.set()
        served.hold = None
    gallery, _, _ = held.result(timeout=120)
    assert len(gallery) == 1


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)
