"""Whom the server believes about a visitor's address, and what it lets through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from dmd2_demo.page.gate import Gate, trust_proxies
from dmd2_demo.page.routes import is_known
from dmd2_demo.page.uploads import Uploads


async def address_of(trusted: str, peer: str, forwarded: str) -> str:
    """What uvicorn tells the page for a request from `peer` with that header."""
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["client"][0])

    scope: Any = {"type": "http", "client": (peer, 1), "headers": [(b"x-forwarded-for", forwarded.encode())]}
    await ProxyHeadersMiddleware(app, trusted)(scope, None, None)  # type: ignore[arg-type]
    return seen[0]


@pytest.mark.parametrize(
    ("told", "environment", "peer", "address"),
    [
        ("", {}, "127.0.0.1", "127.0.0.1"),
        ("", {}, "10.1.2.3", "10.1.2.3"),
        ("10.1.2.3", {}, "10.1.2.3", "203.0.113.7"),
        ("10.0.0.0/8", {}, "10.1.2.3", "203.0.113.7"),
        ("10.0.0.0/8", {}, "192.0.2.1", "192.0.2.1"),
        ("", {"FORWARDED_ALLOW_IPS": "192.0.2.1"}, "192.0.2.1", "203.0.113.7"),
        ("", {"SPACE_ID": "somebody/dmd2"}, "10.1.2.3", "203.0.113.7"),
    ],
)
def test_header_counts_from_a_trusted_proxy_alone(
    told: str, environment: dict[str, str], peer: str, address: str
) -> None:
    trust_proxies(told, environment)
    # Playwright keeps an event loop of its own in this thread.
    with start_blocking_portal() as portal:
        seen = portal.call(address_of, environment["FORWARDED_ALLOW_IPS"], peer, "198.51.100.9, 203.0.113.7")
    assert seen == address


@pytest.mark.parametrize(
    ("headers", "path", "login", "status"),
    [
        ({}, "/config", False, None),
        ({}, "/pwa_icon/60000", False, 404),
        ({"sec-fetch-site": "cross-site"}, "/config", False, None),
        ({"sec-fetch-site": "cross-site"}, "/config", True, 403),
        ({"sec-fetch-site": "same-site"}, "/config", False, None),
        ({"sec-fetch-site": "same-site"}, "/config", True, 403),
        ({"sec-fetch-site": "cross-site"}, "/", True, None),
        ({"sec-fetch-site": "same-origin"}, "/config", True, None),
        ({}, "/under/here/config", False, None),
        ({}, "/under/here", False, None),
        ({}, "/under/here/pwa_icon/60000", False, 404),
        ({"content-length": "80000001"}, "/gradio_api/run/predict", False, 413),
        ({}, f"/gradio_api/upload?upload_id={'a' * 20}", False, None),
        ({}, f"/gradio_api/upload?upload_id={'a' * 300}", False, 414),
        # A private Space's token, and a shared link's settings, come with every request.
        ({}, f"/gradio_api/queue/data?prompt={'a' * 3000}&session_hash=a&__sign={'a' * 800}", False, None),
        ({}, f"/gradio_api/upload?upload_id=abc&__sign={'a' * 800}", False, None),
    ],
)
def test_what_passes(tmp_path: Path, headers: dict[str, str], path: str, *, login: bool, status: int | None) -> None:
    reached: list[str] = []
    told: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["path"])

    async def receive() -> Any:
        raise AssertionError("The request has no body.")

    async def send(message: Any) -> None:
        told.append(message)

    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    path, _, query = path.partition("?")
    scope: Any = {"type": "http", "method": "GET", "path": path, "root_path": "/under/here", "headers": sent}
    scope["query_string"] = query.encode()
    with start_blocking_portal() as portal:
        portal.call(Gate(app, Uploads(tmp_path), login=login).__call__, scope, receive, send)
    assert reached == ([] if status else [path])
    assert [message["status"] for message in told if "status" in message] == ([status] if status else [])


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/config",
        "/config/",
        "/login",
        "/pwa_icon/192",
        "/assets/index.js",
        "/gradio_api/call/text_to_image/abc",
        "/gradio_api/call/v2/text_to_image",
        "/gradio_api/file=/tmp/gradio/a b.png",
        r"/gradio_api/file=C:\tmp\a.png",
        "/gradio_api/queue/join",
        "/gradio_api/mcp/",
        "/gradio_api/upload",
    ],
)
def test_what_the_page_needs_is_there(path: str) -> None:
    assert is_known(path)


@pytest.mark.parametrize(
    "path",
    [
        "/pwa_icon",
        "/pwa_icon/60000",
        "/pwa_icon/1920",
        "/monitoring",
        "/gradio_api/component_server",
        "/gradio_api/deep_link",
        "/gradio_api/dev/reload",
        "/gradio_api/file/https://example.com/x.png",
        "/gradio_api/file/etc/passwd",
        "/gradio_api/file=https://example.com/x.png",
        "/gradio_api/file= HTTPS://example.com/x.png",
        "/gradio_api/process_recording",
        "/gradio_api/proxy=https://example.com/x.png",
        "/gradio_api/stream/a/b/c/playlist.m3u8",
        "/gradio_api/vibe-edit",
        "//gradio_api/process_recording",
    ],
)
def test_what_it_does_not_need_is_not(path: str) -> None:
    assert not is_known(path)
