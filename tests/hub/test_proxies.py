from __future__ import annotations

from collections.abc import Iterator

import pytest
from huggingface_hub import close_session

from dmd2_demo.errors import DemoError
from dmd2_demo.hub.hub import Hub
from dmd2_demo.hub.proxies import proxy_trouble
from dmd2_demo.models.sources import File, HubRepo


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        for variable in (name, name.lower()):
            monkeypatch.delenv(variable, raising=False)
    close_session()
    proxy_trouble.cache_clear()
    yield
    close_session()
    proxy_trouble.cache_clear()


@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("socks4://127.0.0.1:1", "socks4://"),
        ("socks://me:secret@127.0.0.1:1", "socks://"),
        ("http://127.0.0.1:port", "no valid address"),
    ],
)
def test_proxy_that_can_not_be_used_is_a_sentence(
    name: str, url: str, named: str, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, url)
    with pytest.raises(DemoError, match=r"^The hub can't be reached: the environment names a proxy") as raised:
        hub.fetch(File(HubRepo("owner/model"), "config.json"))
    assert f"({named})" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_usable_proxies_and_none_are_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proxy_trouble() is None
    close_session()
    proxy_trouble.cache_clear()
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert proxy_trouble() is None
