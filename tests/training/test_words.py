from __future__ import annotations

import json
import random
import re
from pathlib import Path

from training.folders import FAMILY
from training.words import COLOURS, STYLES, THINGS, article, caption, couple, things_of, write


def test_an_before_a_vowel() -> None:
    assert (
        article("a octopus on a orange background with a unicorn")
        == "an octopus on an orange background with a unicorn"
    )


def test_two_things_are_named_as_one_and_found_again() -> None:
    assert article(f"a {couple('cat', 'owl')} on white") == "a cat and an owl on white"
    assert things_of(couple("cat", "owl")) == ("cat", "owl")
    assert things_of("cat") == ("cat",)


def test_captions_use_only_the_words_that_the_page_knows(tmp_path: Path) -> None:
    write(tmp_path / "words.json")
    words = json.loads((tmp_path / "words.json").read_text())
    known = {word for group in words.values() for word in group}
    rng = random.Random(0)
    for _ in range(500):
        thing = rng.choice((rng.choice(list(THINGS)), couple(*rng.sample(list(THINGS), 2))))
        made = caption(rng, thing, rng.choice(STYLES), rng.choice(list(COLOURS)))
        assert set(re.findall(r"\w+", made)) <= known


def test_the_words_beside_the_weights_are_current(tmp_path: Path) -> None:
    write(tmp_path / "words.json")
    assert json.loads((FAMILY / "words.json").read_text()) == json.loads((tmp_path / "words.json").read_text())
