"""Whatever a request is built from: it exists and can be made, or there is a sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.fields import Choice, Field, Flag, Given, Numeric, fields_of
from dmd2_demo.generate.infotext import infotext
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.tasks import REQUESTS
from tests.embedded import FAMILY

TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=30)
ANY = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT, st.lists(st.integers(), max_size=2))


def near(field: Field) -> st.SearchStrategy[Any]:
    """Mostly what the field allows or just does not."""
    match field:
        case Numeric():
            allowed = field.range_of(FAMILY)
            inside = st.floats(allowed.least, allowed.most) | st.integers(int(allowed.least), int(allowed.most))
            return inside.map(lambda value: value // allowed.step * allowed.step) | inside | ANY
        case Choice():
            return st.sampled_from([value for _, value in field.options(FAMILY)]) | ANY
        case Flag():
            return st.booleans() | ANY
        case Given():
            sides = st.integers(1, 300)
            return st.builds(lambda *size: Image.new("RGB", size, "grey"), sides, sides)
    return st.integers(-1, 2**32) | TEXT | ANY


def built(kind: type[Request], values: dict[str, Any]) -> tuple[Request | None, str]:
    try:
        return kind(family=FAMILY, **values), ""
    except DemoError as error:
        return None, str(error)


@pytest.mark.parametrize("kind", REQUESTS, ids=lambda kind: kind.task)
@settings(max_examples=500, derandomize=True, deadline=None, database=None)
@given(data=st.data())
def test_any_settings_make_a_request_or_a_sentence(kind: type[Request], data: st.DataObject) -> None:
    values = data.draw(st.fixed_dictionaries({name: near(field) for name, field in fields_of(kind).items()}))
    request, sentence = built(kind, values)
    if request is None:
        assert 10 < len(sentence) < 300
        assert "\n" not in sentence
        assert sentence.encode()
        return
    width, height = request.size
    assert width % 8 == height % 8 == 0
    assert json.loads(json.dumps(request.parameters())) == request.parameters()
    infotext(request.parameters()).encode()
    assert request.spec().parts()
    request.edges()
