"""Style LoRAs as visitors use them: the whole page, with the operator's file and a hub of published forms."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import handle_file
from gradio_client.exceptions import AppError

from tests.local_hub import LocalHub
from tests.page.style_repos import FILE, write_repos
from tests.served import served
from tests.visitor import Visitor
from tests.weights.lora_files import FORMS, fp8, kohya

QUICK = {"steps": 1, "style_scale": 1.0}


@pytest.fixture(scope="module")
def repos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_repos(tmp_path_factory.mktemp("hub"))


@pytest.fixture(scope="module")
def hub(repos: dict[str, Path]) -> Iterator[LocalHub]:
    with LocalHub(repos) as hub:
        yield hub


@pytest.fixture(scope="module")
def visitor(hub: LocalHub, repos: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    folder = tmp_path_factory.mktemp("page")
    environment = os.environ | {"HF_ENDPOINT": hub.url, "HF_HOME": str(folder / "home"), "HF_TOKEN": ""}
    command = [sys.executable, "app.py", "--family", "embedded", "--allow-custom-bases"]
    command += ["--loras", str(repos["operator"] / "loras.toml")]
    page, address = served(command, environment, folder / "log")
    try:
        yield Visitor(address, folder)
    finally:
        page.terminate()
        page.wait(30)


def test_every_published_form_gives_the_same_picture(visitor: Visitor) -> None:
    without = visitor.ask("/text_to_image", steps=1).pixels
    expected = visitor.ask("/text_to_image", style="ours", **QUICK).pixels
    assert expected != without
    for form in FORMS:
        name = f"somebody/{form.__name__.replace('_', '-')}"
        made = visitor.ask("/text_to_image", style=name, **QUICK)
        assert (made.pixels == expected) == (form is not fp8), name
        assert made.pixels != without
        # What the operator offers keeps its name.
        assert made.settings["style"] == ("theirs" if form is kohya else f"{name}/{FILE}")
    assert visitor.ask("/text_to_image", style="ours", steps=1, style_scale=0).pixels == without
    assert visitor.ask("/text_to_image", steps=1).pixels == without


@pytest.mark.parametrize("base", ["fluent", "twemoji"])
def test_styles_beside_dmd2s_lora_in_any_order_and_with_scales_of_their_own(visitor: Visitor, base: str) -> None:
    def made(**values: object) -> list[bytes]:
        return visitor.ask("/lora", base=base, lora_scale=0.75, **values).pixels

    without = made()
    one = made(style="ours", style_scale=0.9, style_2="somebody/fp8", style_2_scale=0.4)
    loads = visitor.client.predict(api_name="/status")["loads"]
    other = made(style_3="ours", style_3_scale=0.9, style="somebody/fp8", style_scale=0.4)
    assert one == other != without
    assert made(style="ours", style_scale=0.2, style_2="somebody/fp8", style_2_scale=0.4) != one
    assert made(style="ours", style_scale=0.0, style_2="somebody/fp8", style_2_scale=0.0) == without
    assert made(style="ours", style_scale=0.9, style_2="somebody/fp8", style_2_scale=0.4) == one
    assert visitor.client.predict(api_name="/status")["loads"] == loads
    assert made() == without


REFUSED = {
    "dora": "it is a DoRA",
    "loha": "it is a LoHa",
    "lokr": "it is a LoKr",
    "flux": "it is a LoRA for Flux",
    "sd1": "it is a LoRA for Stable Diffusion 1",
    "wide": "does not fit the base's UNet",
    "other-layers": "does not fit the base's UNet: it is for",
    "by-header": "makes few steps enough",
    "sdxl-turbo-lora": "makes few steps enough",
    "by-contents": "makes few steps enough",
    "half": "This LoRA is incomplete",
    "no-lora": "it is no LoRA",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_gives_no_style_is_refused_by_its_header_alone(visitor: Visitor, hub: LocalHub, name: str) -> None:
    for endpoint in ("/text_to_image", "/lora"):
        with pytest.raises(AppError) as raised:
            visitor.ask(endpoint, style=f"somebody/{name}")
        assert REFUSED[name] in str(raised.value)
        assert "\n" not in str(raised.value)
    asked = [one for one in hub.asked if one.repo == f"somebody/{name}" and one.method == "GET" and one.start >= 0]
    # Nothing but the beginning of the file was asked for.
    assert all(one.end is not None for one in asked)


def test_a_file_of_any_name_gives_a_style(visitor: Visitor) -> None:
    expected = visitor.ask("/text_to_image", style="ours", **QUICK).pixels
    assert visitor.ask("/text_to_image", style="somebody/odd-name", **QUICK).pixels == expected


def test_weights_that_are_no_numbers_are_told(visitor: Visitor) -> None:
    with pytest.raises(AppError, match="it is damaged: some of its weights are no numbers"):
        visitor.ask("/text_to_image", style="somebody/no-numbers", steps=1)


def test_dmd2s_own_in_another_form_is_refused_by_its_weights(visitor: Visitor) -> None:
    with pytest.raises(AppError, match="makes few steps enough"):
        visitor.ask("/text_to_image", style="somebody/by-weights", steps=1)


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ("somebody/pickled", "has no .safetensors file"),
        ("somebody/pickled/style.bin", "whose name ends in .safetensors is needed"),
        ("somebody/several", "has several files: name one, as somebody/several/a.safetensors"),
        ("nobody/nothing", "There is no repository nobody/nothing"),
        ("somebody/kohya/../../x.safetensors", "can't be a style"),
        ("/etc/passwd", "is no repository"),
        ("x" * 5000, "is no repository"),
    ],
)
def test_name_that_means_no_style_is_told(visitor: Visitor, named: str, sentence: str) -> None:
    with pytest.raises(AppError) as raised:
        visitor.ask("/text_to_image", style=named, steps=1)
    assert sentence in str(raised.value)
    assert len(str(raised.value)) < 400


def test_a_style_is_chosen_once_and_its_scale_is_bounded(visitor: Visitor) -> None:
    with pytest.raises(AppError, match="chosen once"):
        visitor.ask("/lora", style="ours", style_3="ours")
    with pytest.raises(AppError, match=r"Style scale must be between 0 and 1\.5"):
        visitor.ask("/lora", style="ours", style_scale=2)


def test_settings_in_the_picture_restore_styles_and_tell_what_is_not_here(visitor: Visitor, address: str) -> None:
    made = visitor.ask("/lora", base="fluent", style="ours", style_scale=0.7, style_2="theirs", style_2_scale=0.3)
    told = visitor.client.predict(handle_file(made.paths[0]), api_name="/inspect")
    chosen = {name: value for name, value in told["settings"].items() if name.startswith("style_") or name == "style"}
    assert chosen == {"style": "ours", "style_scale": 0.7, "style_2": "theirs", "style_2_scale": 0.3}
    assert told["notices"] == []
    hashed = {one["file"]: one for one in told["settings"]["weights"] if one["part"] == "LoRA"}
    assert len(hashed) == 3
    assert all(len(one["autov3"]) == 12 and len(one["sha256"]) == 64 for one in hashed.values())
    # A page without those styles.
    elsewhere = Visitor(address, made.paths[0].parent).client.predict(handle_file(made.paths[0]), api_name="/inspect")
    assert [notice.partition(" can't be used here")[0] for notice in elsewhere["notices"]] == [
        "Style 'ours'",
        "Style 2 'theirs'",
    ]
    assert elsewhere["settings"]["base"] == "fluent"


@pytest.mark.parametrize(
    "header",
    [
        b"{",
        b"[]",
        b'{"a": 1}',
        b'{"__metadata__": [1], "x.lora_down.weight": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]}}',
        b'{"x.lora_down.weight": {"dtype": [], "shape": [1], "data_offsets": [0, 2]}}',
        b'{"lora_unet_x.lora_down.weight": {"dtype": 7, "shape": [9223372036854775807], "data_offsets": [0, 2]}}',
        b'{"lora_unet_x.lora_down.weight": {"dtype": "F16", "shape": [2000000000, 2000000000], "data_offsets": [0]}}',
        b'{"lora_unet_x.lora_down.weight": {"dtype": "F16", "shape": [], "data_offsets": "x"}}',
        b"[" * 100_000,
        *(  # to multiply the last two takes 16 GB of text, and hours
            b'{"lora_unet_x.lora_down.weight": {"dtype": "F16", "shape": %s, "data_offsets": [0, 2]}}' % shape
            for shape in (b"3", b'["a"]', b"[-1]", b'["ab", 8000000000]', b"[%s9]" % (b"9," * 10**6))
        ),
    ],
)
def test_header_that_is_anything_is_a_sentence(visitor: Visitor, repos: dict[str, Path], header: bytes) -> None:
    (repos["somebody/hostile"] / FILE).write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0")
    with pytest.raises(AppError) as raised:
        visitor.ask("/text_to_image", style=f"somebody/hostile/{FILE}", steps=1)
    assert "hostile" in str(raised.value)
    assert "\n" not in str(raised.value)
