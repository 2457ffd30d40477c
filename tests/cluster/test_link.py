"""The link where there is nothing to link to."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from dmd2_demo.cluster import link
from dmd2_demo.cluster.link import Link
from dmd2_demo.errors import DemoError
from dmd2_demo.settings import Settings
from tests.started import Started


def test_without_ray_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "find_spec", lambda name: None)
    with pytest.raises(DemoError, match=r"requirements-cluster\.txt"):
        Link("auto", Settings())


@pytest.mark.skipif(not find_spec("ray"), reason="Ray is not installed: requirements-cluster.txt")
def test_where_no_cluster_is_the_page_ends_with_a_sentence(tmp_path: Path) -> None:
    with Started(tmp_path, "--cluster", "auto", RAY_TMPDIR=str(tmp_path)) as page:
        assert page.ended() == 1
    assert page.said.startswith("The Ray cluster can't be joined: Could not find any running Ray instance.")
    assert len(page.said.splitlines()) == 1
