from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.infotext import infotext
from dmd2_demo.generate.metadata import a1111
from dmd2_demo.generate.requests import CommunityLora, TextToImage
from dmd2_demo.generate.styled import offered
from dmd2_demo.generate.styles import read_styles, with_styles
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.family import Licence, StyleLora
from dmd2_demo.models.parts import Lora
from dmd2_demo.models.sources import File, Folder, HubRepo

MIT = Licence("MIT", "")
A, B, C, D = (StyleLora(name, name.upper(), File(HubRepo("o/r"), f"{name}.safetensors"), MIT) for name in "abcd")
FAMILY = with_styles(FAMILIES["sdxl"], (A, B, C, D))


def text(**values: Any) -> TextToImage:
    return TextToImage(family=FAMILY, prompt="a cat", seed=0, **values)


def test_styles_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.safetensors").touch()
    (tmp_path / "loras.toml").write_text("""
        [[lora]]
        name = "pixel"
        title = "Pixel art"
        licence = "CC BY 4.0"
        licence_url = "https://example.org"
        triggers = ["pixel art", "8 bit"]
        scale = 0.6
        repo = "owner/name"
        revision = "v2"
        file = "a/pixel.safetensors"

        [[lora]]
        name = "mine"
        licence = "MIT"
        file = "mine.safetensors"
    """)
    pixel = File(HubRepo("owner/name", "v2"), "a/pixel.safetensors")
    assert read_styles(tmp_path / "loras.toml") == (
        StyleLora(
            "pixel", "Pixel art", pixel, Licence("CC BY 4.0", "https://example.org"), ("pixel art", "8 bit"), 0.6
        ),
        StyleLora("mine", "mine", File(Folder(tmp_path), "mine.safetensors"), MIT, (), 0.8),
    )


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ("", r"must hold LoRAs as \[\[lora\]\] tables and nothing else"),
        ("lora = 1", "must hold LoRAs"),
        ("lora = [1]", "must hold LoRAs"),
        ("[[lora]]\nlicence='x'\nfile='x'", "LoRA 1 of loras.toml needs a name"),
        ("[[lora]]\nname='x'\nfile='x'", "needs a licence"),
        ("[[lora]]\nname='x'\nlicence='x'", "needs a file"),
        ("[[lora]]\nname='x'\nlicence='x'\nfile='x.bin'", "must name a .safetensors file"),
        ("[[lora]]\nname='x'\nlicence='x'\nfile='x.safetensors'", "there is no file x.safetensors"),
        ("[[lora]]\nname='x'\nlicence='x'\nfile='x.safetensors'\nrevision='y'", "only a repo has a revision"),
        ("[[lora]]\nname='x'\nlicence='x'\nfile='x.safetensors'\ntriggers='y'", "triggers must be a list"),
        ("[[lora]]\nname='x'\nlicence='x'\nfile='x.safetensors'\nrepo='a/b'\nscale=2", "from 0 to 1.5"),
        ("[[lora]]\nname='x'\nlicence='x'\nfile='x.safetensors'\nstrength=2", "'strength', which means nothing"),
    ],
)
def test_what_is_wrong_with_the_file_is_told(tmp_path: Path, toml: str, sentence: str) -> None:
    (tmp_path / "loras.toml").write_text(toml)
    with pytest.raises(DemoError, match=sentence):
        read_styles(tmp_path / "loras.toml")


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(DemoError, match="Two style LoRAs are called 'a'"):
        with_styles(FAMILY, (A,))


def test_any_order_asks_for_the_same() -> None:
    one = text(style="a", style_scale=0.1, style_2="b", style_2_scale=0.2)
    two = text(style="b", style_scale=0.2, style_3=A, style_3_scale=0.1)
    assert one.spec() == two.spec()
    assert one.lora_scales() == two.lora_scales() == (0.1, 0.2)
    assert one.spec().loras == tuple(Lora(style.file, FAMILY.base, FAMILY.lora) for style in (A, B))


def test_on_a_base_dmd2s_own_comes_first() -> None:
    request = CommunityLora.blank(FAMILY, lora_scale=0.7, style_2="c")
    own, style = request.spec().loras
    assert (own.file, own.distillation) == (FAMILY.lora, None)
    assert (style.file, style.base) == (C.file, FAMILY.bases[0].source)
    assert request.lora_scales() == (0.7, 0.8)


def test_without_styles_nothing_changes() -> None:
    assert text().spec().loras == ()
    assert text().spec().pristine is None
    assert "style" not in text().parameters()


def test_a_style_that_is_not_here_is_told() -> None:
    with pytest.raises(DemoError, match=r"There is no style called 'e'\. Choose one of: a, b, c, d"):
        text(style="e")
    with pytest.raises(DemoError, match="None is offered here"):
        TextToImage.blank(FAMILIES["sdxl"], style="e")


def test_webuis_text_names_loras_with_scales_and_hashes_and_is_read_again() -> None:
    request = CommunityLora.blank(
        FAMILY, prompt="a cat, 1: 2", lora_scale=0.7, style="a", style_2="b", style_2_scale=1.2
    )
    weights = [
        *({"part": "LoRA", "file": f"o/r/{name}.safetensors", "autov3": 12 * name} for name in "oab"),
        {"part": "UNet", "file": "o/r/unet.safetensors", "sha256": "1"},
    ]
    told = infotext({**request.parameters(), "weights": weights})
    own = FAMILY.lora.stem
    assert told.startswith(f"a cat, 1: 2 <lora:{own}:0.7> <lora:a:0.8> <lora:b:1.2>\n")
    assert told.endswith(f'Lora hashes: "{own}: {12 * "o"}, a: {12 * "a"}, b: {12 * "b"}"')
    found = a1111.read(told)
    assert found
    prompt, loras = a1111.without_loras(found.settings["prompt"])
    assert prompt == "a cat, 1: 2"
    settings, others = offered(loras, FAMILY)
    assert settings == {"style": "a", "style_scale": 0.8, "style_2": "b", "style_2_scale": 1.2}
    assert others == {own: 0.7}
