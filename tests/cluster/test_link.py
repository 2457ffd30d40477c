"""The link where there is nothing to link with."""

from __future__ import annotations

import pytest

from dmd2_demo.cluster import link
from dmd2_demo.cluster.link import Link
from dmd2_demo.errors import DemoError
from dmd2_demo.settings import Settings


def test_without_ray_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "find_spec", lambda name: None)
    with pytest.raises(DemoError, match=r"requirements-cluster\.txt"):
        Link("auto", Settings())
