"""Tables of settings use the form's words."""

from __future__ import annotations

from dmd2_demo.generate.fields import fields_of
from dmd2_demo.generate.tasks import LABELS, REQUESTS
from dmd2_demo.page.compare import differences
from dmd2_demo.page.inspect import _rows


def test_a_field_has_one_label_in_all_tabs() -> None:
    for request in REQUESTS:
        assert {name: field.label for name, field in fields_of(request).items()}.items() <= LABELS.items()


def test_what_differs_is_called_as_in_the_form() -> None:
    left = {"task": "canny", "seed": 7, "conditioning_scale": 0.8, "tiny_vae": False}
    assert differences(left, left | {"conditioning_scale": 1, "tiny_vae": True}) == [
        ["Conditioning scale", "0.8", "1"],
        ["Tiny VAE", "False", "True"],
    ]


def test_a_pictures_settings_are_called_as_in_the_form_and_others_as_they_call_themselves() -> None:
    found = {"tool": "this page", "settings": {"lora_scale": 0.6, "seconds": 2}, "ignored": {"cfg_scale": 7}}
    assert _rows(found) == [
        ["made by", "this page"],
        ["LoRA scale", "0.6"],
        ["seconds", "2"],
        ["cfg_scale (ignored)", "7"],
    ]
