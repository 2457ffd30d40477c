"""Whatever stands where settings may stand is read or not, and never ends anything."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dmd2_demo.generate.metadata import a1111, comfyui, fooocus, xmp

# Control characters and halves of letters too.
LETTERS = st.text(st.characters(), max_size=300)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | LETTERS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(LETTERS | st.sampled_from(["inputs", "positive", "latent_image"]), inner)
    ),
    max_leaves=15,
)


@given(told=LETTERS | st.builds(lambda a, b: f"{a}\nSteps: 4, {b}", LETTERS, LETTERS))
def test_any_text_is_read_as_webuis_or_not_at_all(told: str) -> None:
    found = a1111.read(told)
    assert found is None or isinstance(found.settings["prompt"], str)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(told=JSON)
def test_any_json_is_read_as_a_graph_or_not_at_all(told: Any) -> None:
    for reader in (comfyui.read, fooocus.read):
        found = reader(told)
        assert found is None or isinstance(found.settings["prompt"], str)


@given(told=st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_xmp_gives_back_what_it_was_given(told: str) -> None:
    given = json.dumps({"prompt": told}, ensure_ascii=False)
    found = xmp.settings_in(xmp.packet(given))
    assert found is not None
    assert json.loads(found) == {"prompt": told}
