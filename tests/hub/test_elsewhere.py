"""What answers in the hub's place, tokens that ran out, and names as strangers type them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from huggingface_hub import constants

from dmd2_demo.errors import DemoError
from dmd2_demo.hub.hub import Hub
from dmd2_demo.models.sources import File, HubRepo
from tests.local_hub import TOKEN, LocalHub
from tests.small_repo import CONFIG_FILE, REPO, WEIGHTS_FILE


class Stranger(BaseHTTPRequestHandler):
    """A mirror that serves bytes and knows nothing of the hub's headers; `sent` counts them."""

    sent = 0
    status = 200
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", "5000000")
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        type(self).sent += self.wfile.write(b"<html>" * 1000)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nobody reads it."""


@pytest.fixture(params=[200, 404, 405, 511])
def stranger(request: pytest.FixtureRequest) -> Iterator[tuple[str, type[Stranger]]]:
    handler = type("Handler", (Stranger,), {"sent": 0, "status": request.param})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", handler
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("file", [CONFIG_FILE, WEIGHTS_FILE], ids=str)
def test_what_is_not_the_hub_is_seen_at_its_first_answer(
    stranger: tuple[str, type[Stranger]], cache: Path, file: File
) -> None:
    url, handler = stranger
    with pytest.raises(DemoError, match=r"is not the hub .*HF_ENDPOINT"):
        Hub(cache, url).fetch(file)
    assert handler.sent == 0
    with pytest.raises(DemoError, match="HF_ENDPOINT"):
        Hub(cache, url).missing([(file,)])


def test_a_stale_token_keeps_nobody_from_what_anyone_may_read(
    hub: Hub, local_hub: LocalHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    local_hub.refuses_tokens = True
    assert hub.fetch(WEIGHTS_FILE).is_file()
    assert hub.fetch(CONFIG_FILE).is_file()
    assert len([line for line in caplog.messages if "refuses this demo's token" in line]) == 1


def test_a_stale_token_keeps_nobody_from_a_public_files_header(
    hub: Hub, local_hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    local_hub.refuses_tokens = True
    assert hub.header(WEIGHTS_FILE).tensors


def test_a_good_token_is_used(hub: Hub, local_hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    local_hub.private.add(REPO)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert hub.fetch(CONFIG_FILE).is_file()


def test_a_repository_is_called_as_the_hub_spells_it(hub: Hub, local_hub: LocalHub) -> None:
    local_hub.renamed |= {"owner/model": REPO, "former/name": REPO}
    assert hub.spelled("OWNER/Model") == REPO
    assert hub.spelled("former/name") == REPO
    with pytest.raises(DemoError, match=r"^There is no repository nobody/nothing on the hub that anyone may read"):
        hub.spelled("nobody/nothing")


def test_without_the_hub_a_repository_is_called_as_the_cache_has_it(hub: Hub, cache: Path) -> None:
    hub.fetch(CONFIG_FILE)
    gone = Hub(cache, "http://127.0.0.1:1")
    assert gone.spelled("OWNER/Model") == REPO
    assert gone.spelled("other/name") == "other/name"


def test_what_anyone_may_read_is_not_asked_for_again_by_who_holds_the_device(
    hub: Hub, local_hub: LocalHub, cache: Path
) -> None:
    file = File(HubRepo(REPO, anonymous=True), CONFIG_FILE.name)
    path = hub.fetch(file)
    local_hub.asked.clear()
    assert hub.fetch(file) == path
    assert not local_hub.asked
    local_hub.private.add(REPO)
    with pytest.raises(DemoError, match="that anyone may read"):
        Hub(cache, local_hub.url).fetch(file)


def test_offline_the_sentence_about_a_strangers_repository_is_true(
    hub: Hub, local_hub: LocalHub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = File(HubRepo(REPO, anonymous=True), CONFIG_FILE.name)
    hub.fetch(file)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DemoError, match=r"runs offline .* can't ask the hub whether anyone may read owner/model"):
        Hub(cache, local_hub.url).fetch(file)
    assert hub.fetch(CONFIG_FILE).is_file()
