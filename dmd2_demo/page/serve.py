"""Where the page is served: an address that is ours and free, or a sentence about it."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dmd2_demo.errors import DemoError

_PORTS = range(7860, 7960)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Address:
    """`host` as a URL spells it: an IPv6 address is in brackets."""

    host: str
    port: int


def find(host: str, port: int | None) -> Address:
    """The address to serve at; without a port, the first free one from 7860. DemoError where it can't be had."""
    for candidate in (port,) if port else _PORTS:
        try:
            _try(host, candidate)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and not port:
                continue
            raise DemoError(_sentence(error, host, candidate)) from error
        return Address(f"[{host}]" if ":" in host else host, candidate)
    raise DemoError(f"The ports {_PORTS.start} to {_PORTS.stop - 1} are all taken. Choose another with --port.")


def taken(port: int) -> DemoError:
    """What is said where somebody else has that port."""
    return DemoError(f"Port {port} is taken by another program. Choose another with --port.")


def _try(host: str, port: int) -> None:
    """Binds the port for a moment, as the server will. Raises OSError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except ValueError as error:  # nothing that could be a name
        raise socket.gaierror(socket.EAI_NONAME, "no name") from error
    # Gradio takes a port only where it is free on 127.0.0.1 too.
    places = [(family, address) for family, _, _, _, address in found] + [(socket.AF_INET, ("127.0.0.1", port))]
    for family, address in places:
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                tried.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            tried.bind(address)


def _sentence(error: OSError, host: str, port: int) -> str:
    if isinstance(error, socket.gaierror):
        return f"There is no host called {host!r:.100}. --host is an address of this machine, such as 127.0.0.1 or ::1."
    if error.errno == errno.EADDRINUSE:
        return str(taken(port))
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine. Choose one with --host: 127.0.0.1, or 0.0.0.0 for all it has."
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"This user may not open port {port}. Choose one from 1024 with --port."
    return f"{host} can't be listened on at port {port}: {error.strerror or error}."


@contextmanager
def around_proxies(host: str, *, all_hosts: bool) -> Iterator[None]:
    """Within the block this process calls itself through no proxy, and nobody else through one with `all_hosts`."""
    before = os.environ.get("no_proxy")
    others = before or os.environ.get("NO_PROXY") or ""
    os.environ["no_proxy"] = "*" if all_hosts else ",".join(filter(None, (others, *_LOOPBACK, host.strip("[]"))))
    try:
        yield
    finally:
        if before is None:
            del os.environ["no_proxy"]
        else:
            os.environ["no_proxy"] = before
