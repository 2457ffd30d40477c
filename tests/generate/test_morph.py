from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dmd2_demo.errors import Cancelled, DemoError
from dmd2_demo.generate.metadata import reading
from dmd2_demo.generate.mixing import mixed, slerp
from dmd2_demo.generate.morph import FRAMES, Morph, save, steps_of
from dmd2_demo.generate.picture import Picture
from dmd2_demo.progress import Progress, silent
from tests.embedded import EmbeddedRuntime, text

A = text(prompt="a cat on a blue background", seed=1, steps=1)
B = text(prompt="a dog on a red background", seed=2, steps=1)


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedRuntime:
    return EmbeddedRuntime.open(tmp_path_factory.mktemp("converted"))


def made(runtime: EmbeddedRuntime, morph: Morph) -> list[Picture]:
    *_, last = morph.make(runtime.studio, silent, lambda: False)
    return last


def test_the_ends_are_the_two_pictures_and_what_lies_between_is_spread_evenly(runtime: EmbeddedRuntime) -> None:
    pictures = made(runtime, Morph.of(A, B))
    assert len(pictures) == FRAMES
    assert pictures[0].image.tobytes() == runtime.make(A).tobytes()
    assert pictures[-1].image.tobytes() == runtime.make(B).tobytes()
    shares = [picture.parameters["morph"]["share"] for picture in pictures]
    assert shares == sorted(shares)
    morph, even = Morph.of(A, B), [number / (FRAMES - 1) for number in range(FRAMES)]
    equally = [next(runtime.studio.generate(morph.at(share), silent, lambda: False)) for share in even]
    assert max(steps_of(pictures)) < max(steps_of(equally))


def test_the_file_plays_to_and_fro_and_tells_how_it_was_made(runtime: EmbeddedRuntime, tmp_path: Path) -> None:
    pictures = made(runtime, Morph.of(A, B))
    path = save(pictures, tmp_path)
    with Image.open(path) as file:
        assert file.info["loop"] == 0
        frames = getattr(file, "n_frames", 0)
        assert frames == 2 * FRAMES - 2
        seen = []
        for number in range(frames):
            file.seek(number)
            seen.append(file.convert("RGB").tobytes())
    assert seen[:FRAMES] == [picture.image.tobytes() for picture in pictures]
    assert seen[FRAMES:] == seen[FRAMES - 2 : 0 : -1]
    settings = dict(reading.read(path).settings)
    assert (settings["seed"], settings["prompt"]) == (1, A.prompt)
    assert settings["morph"]["to"]["prompt"] == B.prompt
    assert len(settings["morph"]["shares"]) == FRAMES
    assert json.dumps(settings)


def test_words_are_understood_at_both_ends(runtime: EmbeddedRuntime) -> None:
    pictures = made(runtime, Morph.of(A, text(prompt="a kitty on a red background", seed=3, steps=1)))
    assert (
        pictures[-1].image.tobytes()
        == runtime.make(text(prompt="a kitty on a red background", seed=3, steps=1)).tobytes()
    )


def test_one_seed_and_one_prompt_are_no_way(runtime: EmbeddedRuntime) -> None:
    assert len(made(runtime, Morph.of(A, A))) == 2


def test_pictures_of_more_steps_are_morphed_as_they_are_at_one(runtime: EmbeddedRuntime) -> None:
    pictures = next(Morph.of(text(seed=1, steps=4), B).make(runtime.studio, silent, lambda: False))
    assert pictures[0].image.tobytes() == runtime.make(text(seed=1, steps=1)).tobytes()


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"width": 160, "height": 96}, "differ in size"),
        ({"tiny_vae": True}, "differ in their styles or VAE"),
        ({"style": "pixel"}, "differ in their styles or VAE"),
    ],
)
def test_what_can_not_be_mixed_is_said_at_once(other: dict[str, object], sentence: str) -> None:
    with pytest.raises(DemoError, match=sentence):
        Morph.of(A, text(**other))


def test_a_longer_prompt_is_said(runtime: EmbeddedRuntime) -> None:
    longer = text(prompt=", ".join(["a cat on a blue background"] * 9), seed=2, steps=1)
    with pytest.raises(DemoError, match="too long beside the other"):
        made(runtime, Morph.of(A, longer))


def test_stop_is_heard(runtime: EmbeddedRuntime) -> None:
    told: list[Progress] = []
    with pytest.raises(Cancelled):
        for _ in Morph.of(A, B).make(runtime.studio, told.append, lambda: len(told) > 2):
            pass
    assert told[0].sentence.startswith("Picture 1 of 17: ")


def test_slerp_keeps_the_noise_as_strong_as_it_is() -> None:
    one, other = (torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    assert torch.equal(slerp(one, other, 0), one)
    assert torch.equal(slerp(one, other, 1), other)
    assert torch.equal(slerp(one, one, 0.3), one)
    norms = [float(slerp(one, other, share).norm()) for share in np.linspace(0, 1, 9)]
    assert max(norms) / min(norms) < 1.1
    assert float(torch.lerp(one, other, 0.5).norm()) < 0.8 * min(norms)


def test_embeddings_of_unlike_length_are_said() -> None:
    with pytest.raises(DemoError):
        mixed({"prompt_embeds": torch.zeros(1, 2, 3)}, {"prompt_embeds": torch.zeros(1, 4, 3)}, 0.5)
