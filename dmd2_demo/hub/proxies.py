"""Proxies that the environment names, and whether the hub's client can use them."""

from __future__ import annotations

import os
from functools import cache
from urllib.request import getproxies

import httpx2
from huggingface_hub import get_session

from dmd2_demo.errors import DemoError


@cache
def proxy_trouble() -> str | None:
    """A sentence where no request can leave because of how a proxy is named; None where they can, asked once."""
    try:
        get_session()
    except (ImportError, ValueError, httpx2.InvalidURL):
        # Not their addresses, which may hold a password.
        kinds = {url.partition("://")[0] for name, url in getproxies().items() if name != "no" and "://" in url}
        named = ", ".join(f"{kind}://" for kind in sorted(kinds - {"http", "https"})) or "no valid address"
        return (
            f"The hub can't be reached: the environment names a proxy that can't be used ({named}). "
            "HTTP_PROXY, HTTPS_PROXY and ALL_PROXY may be http://, https:// or, with the package socksio, socks5://."
        )
    return None


def set_unusable_aside() -> None:
    """Takes from the environment what other clients would fail over as they are made; the hub's has read it before.

    Where a proxy can't be used, the hub's requests are refused and nobody else uses one.
    """
    if proxy_trouble():
        os.environ["no_proxy"] = "*"
        return
    kept = [host for host in getproxies().get("no", "").split(",") if not _is_odd(host.strip())]
    if kept != [""]:
        os.environ["no_proxy"] = ",".join(kept)


def _is_odd(host: str) -> bool:
    """An IPv6 address in brackets, or a range of them: httpx, which Gradio uses, raises on it."""
    return "[" in host or (":" in host and "/" in host and "://" not in host)


def require_usable_proxies() -> None:
    """DemoError where a proxy's name keeps every request from leaving."""
    trouble = proxy_trouble()
    if trouble:
        raise DemoError(trouble)
