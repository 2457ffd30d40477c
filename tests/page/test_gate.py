"""Whom the server believes about a visitor's address, and what it lets through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from dmd2_demo.page.gate import Gate, trust_proxies
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
    ("asked", "passes"),
    [("file=/tmp/a.png", True), (r"file=C:\tmp\a.png", True), ("file=http://a/b", False), ("proxy=https://a/b", False)],
)
def test_addresses_are_refused_and_a_drive_of_windows_is_none(tmp_path: Path, asked: str, passes: bool) -> None:
    reached: list[str] = []
    told: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["path"])

    async def receive() -> Any:
        raise AssertionError("The request has no body.")

    async def send(message: Any) -> None:
        told.append(message)

    path = f"/gradio_api/{asked}"
    scope: Any = {"type": "http", "method": "GET", "path": path, "headers": []}
    with start_blocking_portal() as portal:
        portal.call(Gate(app, Uploads(tmp_path)).__call__, scope, receive, send)
    assert reached == ([path] if passes else [])
    assert [message["status"] for message in told if "status" in message] == ([] if passes else [403])
