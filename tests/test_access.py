"""Who may open the page."""

from __future__ import annotations

from pathlib import Path

import httpx
import psutil
import pytest

from dmd2_demo.access import is_loopback
from dmd2_demo.errors import DemoError
from dmd2_demo.settings import Settings
from tests.raw_visitor import PATIENCE
from tests.started import Started
from tests.visitor import connect

SECRET = "p:ss word"


def test_accounts_come_from_flag_environment_or_file(tmp_path: Path) -> None:
    file = tmp_path / "accounts"
    file.write_text(f"\ufeffann:{SECRET}\n\nbob:b\n", encoding="utf-8")
    assert Settings.read(["--auth", f"ann:{SECRET}"], {}).auth == (("ann", SECRET),)
    assert Settings.read([], {"DMD2_AUTH": f"ann:{SECRET}"}).auth == (("ann", SECRET),)
    assert Settings.read([], {"DMD2_AUTH": f"@{file}"}).auth == (("ann", SECRET), ("bob", "b"))
    assert Settings.read([], {"DMD2_AUTH": ""}).auth == Settings.read([], {}).auth == ()


@pytest.mark.parametrize("value", ["secretive", "secretive:", ":secretive", "@/nowhere/secretive", "@/dev/null"])
def test_bad_accounts_are_told_without_repeating_them(value: str) -> None:
    with pytest.raises(DemoError) as raised:
        Settings.read([], {"DMD2_AUTH": value})
    assert "secretive" not in str(raised.value)


def test_an_empty_flag_does_not_open_the_page_to_all() -> None:
    with pytest.raises(DemoError, match="USER:PASSWORD"):
        Settings.read(["--auth", ""], {})


def test_mcp_programs_can_not_log_in() -> None:
    with pytest.raises(DemoError, match="--mcp and --auth exclude each other"):
        Settings.read(["--auth", f"ann:{SECRET}", "--mcp"], {})


def test_passwords_are_not_shown_with_the_settings() -> None:
    assert SECRET not in repr(Settings(auth=(("ann", SECRET),)))


def test_file_of_accounts_in_no_home_is_told() -> None:
    with pytest.raises(DemoError, match="the file of accounts can't be read"):
        Settings.read(["--auth", "@~nosuchuser/accounts"], {})


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.2", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_page_is_private_on_this_machines_own_addresses_alone(host: str, private: bool) -> None:
    assert is_loopback(host) is private
    assert Settings(host=host).reachable_by_others is not private
    assert Settings(host=host, share=True).reachable_by_others


@pytest.mark.parametrize("flag", [["--auth", f"ann:{SECRET}"], [f"--auth=ann:{SECRET}"], ["--aut", f"ann:{SECRET}"]])
def test_no_list_of_processes_shows_a_password(flag: list[str], tmp_path: Path) -> None:
    with Started(tmp_path, "--family", "embedded", *flag) as page:
        page.wait_until(lambda: list(page.temporary.glob("*/lock")))
        assert SECRET not in " ".join(psutil.Process(page.process.pid).cmdline())
        assert page.end() == 0
        assert page.said == ""


def test_page_asks_for_the_password(tmp_path: Path) -> None:
    with Started(tmp_path, "--family", "embedded", "--auth", f"ann:{SECRET}") as page:
        address = page.address()
        assert httpx.get(f"{address}/config", timeout=PATIENCE).status_code == httpx.codes.UNAUTHORIZED
        upload = httpx.post(f"{address}/gradio_api/upload", files={"files": b"x"}, timeout=PATIENCE)
        assert upload.status_code == httpx.codes.UNAUTHORIZED
        wrong = httpx.post(f"{address}/login", data={"username": "ann", "password": "wrong"}, timeout=PATIENCE)
        assert wrong.status_code == httpx.codes.BAD_REQUEST
        client = connect(address, auth=("ann", SECRET), download_files=tmp_path)
        assert client.predict(prompt="a cat", steps=1, api_name="/text_to_image")
        assert SECRET not in page.said
