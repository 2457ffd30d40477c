from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from dmd2_demo.errors import DemoError
from dmd2_demo.page.serve import Address, around_proxies, find
from tests.served import free_port

HAS_IPV6 = socket.has_ipv6 and Path("/proc/net/if_inet6").exists()


@contextmanager
def taken(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # an earlier page's connections may linger there
        other.bind((host, port))
        other.listen()
        yield other.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_free_port_is_had(host: str) -> None:
    port = free_port()
    assert find(host, port) == Address(host, port)


@pytest.mark.skipif(not HAS_IPV6, reason="this machine has no IPv6")
@pytest.mark.parametrize("host", ["::1", "::"])
def test_ipv6_address_is_in_brackets(host: str) -> None:
    port = free_port()
    assert find(host, port) == Address(f"[{host}]", port)


def test_without_a_port_the_first_free_one_is_had() -> None:
    first = find("127.0.0.1", None).port
    with taken(port=first):
        assert first < find("127.0.0.1", None).port < 7960


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        ("192.0.2.1", r"^192\.0\.2\.1 is no address of this machine\."),
        ("2001:db8::1", r"^2001:db8::1 is no address of this machine\.|can't be listened on"),
        ("nowhere.invalid", "^There is no host called 'nowhere.invalid'"),
        ("127.0.0.1:7860", "^There is no host called"),
        ("http://localhost", "^There is no host called"),
        ("a" * 300, "^There is no host called"),
        ("a\0b", "^There is no host called"),
        ("::1%nothing", "^There is no host called|is no address of this machine|can't be listened on"),
    ],
)
def test_host_that_is_not_ours_is_a_sentence(host: str, sentence: str) -> None:
    for port in (None, 7999):
        with pytest.raises(DemoError, match=sentence) as raised:
            find(host, port)
        assert "\n" not in str(raised.value)


def test_port_that_is_taken_is_a_sentence() -> None:
    for host in ("127.0.0.1", "0.0.0.0", "localhost"):
        with taken() as port, pytest.raises(DemoError, match=rf"^Port {port} is taken"):
            find(host, port)


@pytest.mark.parametrize("before", [{}, {"no_proxy": "a.b"}, {"NO_PROXY": "a.b"}])
def test_own_page_is_called_through_no_proxy(before: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"HTTP_PROXY": "http://127.0.0.1:9", "all_proxy": "http://127.0.0.1:9"} | before).items():
        monkeypatch.setenv(name, value)
    kept = dict(os.environ)
    for all_hosts in (True, False):
        with around_proxies("[::1]", all_hosts=all_hosts), httpx.Client() as client:
            for url in ("http://127.0.0.1:7860/", "http://[::1]:7860/", "http://localhost:7860/"):
                assert client._transport_for_url(httpx.URL(url)) is client._transport
            elsewhere = client._transport_for_url(httpx.URL("http://elsewhere/"))
            assert (elsewhere is client._transport) is all_hosts
        assert dict(os.environ) == kept
