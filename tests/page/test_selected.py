"""What was clicked, as browsers and as strangers tell it."""

from __future__ import annotations

from typing import Any

import pytest

from dmd2_demo.errors import DemoError
from dmd2_demo.page.selected import Selected


@pytest.mark.parametrize("index", [1, [1], [1, 0]])
def test_tells_what_was_clicked(index: Any) -> None:
    assert Selected(None, {"index": index, "value": None}).of(["a", "b"]) == "b"


@pytest.mark.parametrize(
    "data", [None, [], {}, {"index": None}, {"index": True}, {"index": -1}, {"index": 2}, {"index": []}]
)
def test_refuses_what_is_not_there(data: Any) -> None:
    with pytest.raises(DemoError, match="no longer there"):
        Selected(None, data).of(["a", "b"])
