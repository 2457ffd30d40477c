"""Ports that other programs take between the moment they are found free and the moment the page is there."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import httpx
import pytest

from dmd2_demo import open_page
from dmd2_demo.errors import DemoError
from dmd2_demo.generate import edges
from dmd2_demo.page.serve import Address, find
from dmd2_demo.page.served import ServedBlocks
from dmd2_demo.settings import Settings
from tests.raw_visitor import PATIENCE
from tests.served import address_of

# Gradio leaves the socket open with which it tried the port.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.fixture(scope="module")
def page(taken: int) -> Iterator[ServedBlocks]:
    """It was told that the taken port is free."""
    edges.detector()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(open_page, "find", late(taken))
        page = open_page.open_page(Settings("embedded"))
    yield page
    page.close()


def late(taken: int) -> Callable[[str, int | None], Address]:
    found = iter([Address("127.0.0.1", taken)])
    return lambda host, port: next(found, None) or find(host, port)


def test_the_next_port_is_had(page: ServedBlocks, taken: int) -> None:
    assert page.server_port != taken
    assert httpx.get(address_of(page), timeout=PATIENCE).is_success


def test_a_port_that_was_named_is_told(page: ServedBlocks, taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_page, "find", late(taken))
    with pytest.raises(DemoError, match=rf"^Port {taken} is taken"):
        open_page.open_page(Settings("embedded", port=taken))
