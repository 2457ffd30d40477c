"""How the real process starts and ends."""

from __future__ import annotations

import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from dmd2_demo.process import drop_empty
from tests.started import ROOT, Started
from tests.visitor import connect

DMD2 = ("PORT", "BUDGET", "FAMILY", "BASES", "HOST", "SHARE", "MEMORY", "ATTENTION", "ALLOW_CUSTOM_BASES")
GRADIO = ("SERVER_NAME", "SERVER_PORT", "NUM_PORTS", "ANALYTICS_MAX_EVENTS", "DEBUG", "TEMP_DIR", "ROOT_PATH")
EMPTY = {f"DMD2_{name}": "" for name in DMD2} | {f"GRADIO_{name}": "" for name in GRADIO} | {"HF_ENDPOINT": ""}
DEAD = "http://127.0.0.1:9"


_FAULTS = """
import resource, sys
from dmd2_demo.process import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
for round in range(12):
    if round == 2:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [bytearray(size << 20) for size in (12, 20, 16)]
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator than glibc's")
def test_freed_memory_is_not_asked_for_anew() -> None:
    faults = {
        word: int(subprocess.run([sys.executable, "-c", _FAULTS, word], check=True, capture_output=True).stdout)
        for word in ("keep", "leave")
    }
    assert faults["keep"] < 100
    assert faults["leave"] > 10_000


def test_empty_variables_dead_proxies_and_others_folders_stop_no_page(tmp_path: Path) -> None:
    proxies = {"HTTP_PROXY": DEAD, "https_proxy": DEAD, "ALL_PROXY": DEAD, "NO_PROXY": "::1/128,[::1],example.com"}
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp" / "gradio").write_text("another user's")
    with Started(tmp_path, root=ROOT, CUDA_VISIBLE_DEVICES="", **EMPTY, **proxies) as page:
        # pytest's own client goes through no proxy: its environment has none.
        client = connect(page.address(), download_files=tmp_path)
        gallery, seed, _ = client.predict(prompt="a cat", seed=3, api_name="/text_to_image")
        assert (len(gallery), seed) == (1, 3)
        client.close()
        # During a picture too: the second signal changes nothing.
        client = connect(page.address(), download_files=tmp_path)
        client.submit(prompt="a cat", images=8, width=256, height=256, api_name="/text_to_image")
        time.sleep(0.1)
        assert page.end(signal.SIGTERM, signal.SIGINT) == 0
        assert "Traceback" not in page.said
        assert [path.name for path in page.temporary.iterdir()] == ["gradio"]


@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT, signal.SIGINT]])
def test_signals_during_the_start_end_it_at_once(tmp_path: Path, signals: list[signal.Signals]) -> None:
    with Started(tmp_path, "--family", "embedded") as page:
        page.wait_until(lambda: list(page.temporary.glob("*/lock")))
        time.sleep(0.2)
        assert page.end(*signals) == 0
        assert page.said == ""
        assert not list(page.temporary.iterdir())


def test_proxy_of_an_unknown_kind_is_named_and_the_page_starts(tmp_path: Path) -> None:
    with Started(tmp_path, "--family", "embedded", all_proxy="socks4://user:secret@127.0.0.1:1") as page:
        assert page.address().startswith("http://127.0.0.1:")
        assert "The hub can't be reached: the environment names a proxy that can't be used (socks4://)." in page.said
        assert "secret" not in page.said
        assert page.end() == 0


def test_bad_address_and_folder_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with Started(tmp_path, "--port", str(port)) as page:
            assert page.ended() == 1
            assert page.said == f"Port {port} is taken by another program. Choose another with --port.\n"
    with Started(tmp_path, GRADIO_TEMP_DIR=str(tmp_path / "file" / "gradio")) as page:
        assert page.ended() == 1
        assert page.said.startswith("Nothing can be written to ")
        assert page.said.count("\n") == 1


@pytest.mark.parametrize("port", ["abc", "70000"])
def test_port_that_is_none_is_one_sentence(tmp_path: Path, port: str) -> None:
    with Started(tmp_path, f"--port={port}") as page:
        assert page.ended() == 1
        assert page.said.startswith("--port: ")
        assert "a whole number from 1 to 65535" in page.said
        assert page.said.count("\n") == 1
    assert not list(page.temporary.iterdir())


def test_what_killed_processes_left_is_removed_and_what_others_use_is_not(tmp_path: Path) -> None:
    with Started(tmp_path, "--family", "embedded") as one:
        one.wait_until(lambda: list(one.temporary.glob("*/lock")))
        (used,) = one.temporary.glob("*/lock")
        abandoned = Path(tempfile.mkdtemp(prefix="dmd2-demo-", dir=one.temporary)) / "lock"
        abandoned.touch()
        for lock in (used, abandoned):
            os.utime(lock, (0, 0))
        half_removed = Path(tempfile.mkdtemp(prefix="dmd2-demo-", dir=one.temporary))
        os.utime(half_removed, (0, 0))
        beginning = Path(tempfile.mkdtemp(prefix="dmd2-demo-", dir=one.temporary))
        with Started(tmp_path, "--port", "1", "--host", "192.0.2.1") as two:
            assert two.ended() == 1
        assert used.exists()
        assert not abandoned.parent.exists()
        assert not half_removed.exists()
        assert beginning.exists()


def test_only_empty_variables_of_ours_are_dropped() -> None:
    environment = {"DMD2_PORT": " ", "GRADIO_DEBUG": "", "HF_HOME": "/x", "PATH": "", "DMD2_HOST": "::"}
    drop_empty(environment)
    assert environment == {"HF_HOME": "/x", "PATH": "", "DMD2_HOST": "::"}
