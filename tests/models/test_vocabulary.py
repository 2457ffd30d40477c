from __future__ import annotations

import json
from pathlib import Path

import pytest

from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.family import Family
from dmd2_demo.models.synonyms import SYNONYMS
from dmd2_demo.models.vocabulary import Vocabulary, plurals


@pytest.fixture
def vocabulary(tmp_path: Path) -> Vocabulary:
    words = {"things": ["fox"], "styles": ["noto"], "colours": ["blue"], "templates": ["a", "on", "background"]}
    path = tmp_path / "words.json"
    path.write_text(json.dumps(words))
    return Vocabulary(path)


@pytest.mark.parametrize("prompt", ["a fox on a blue background, noto", "FOX", "fox-fox; Blue_background!", "🦊"])
def test_known_words_pass_in_any_case_and_punctuation(vocabulary: Vocabulary, prompt: str) -> None:
    assert vocabulary.notice(prompt) is None


def test_unknown_words_are_told_once_each_in_order(vocabulary: Vocabulary) -> None:
    assert vocabulary.unknown("a red fox and a red Éclair") == ["red", "and", "éclair"]
    assert vocabulary.notice("a red fox") == "This small family doesn't know: red."


def test_notice_of_many_or_endless_words_stays_short(vocabulary: Vocabulary) -> None:
    many = vocabulary.notice(" ".join(f"w{i}" for i in range(50)))
    assert many == "This small family doesn't know: w0, w1, w2, w3, w4, w5, w6, w7 and more."
    endless = vocabulary.notice("x" * 10_000)
    assert endless
    assert len(endless) < 250


@pytest.mark.parametrize("family", [family for family in FAMILIES.values() if family.words], ids=lambda f: f.name)
def test_every_example_is_made_of_words_that_its_family_knows(family: Family) -> None:
    assert family.words
    vocabulary = Vocabulary(family.words)
    for example in (*family.examples, *family.lora_examples, *family.canny_examples):
        assert vocabulary.unknown(example.prompt) == []


EMBEDDED = FAMILIES["embedded"]

PLURALS = {
    "fox": "foxes",
    "bus": "buses",
    "octopus": "octopuses",
    "cactus": "cactuses",
    "fish": "fishes",
    "strawberry": "strawberries",
    "butterfly": "butterflies",
    "ladybug": "ladybugs",
    "snowman": "snowmen",
    "tomato": "tomatoes",
    "avocado": "avocados",
    "grapes": "grapeses",
    "cherries": "cherrieses",
    "umbrella": "umbrellas",
    "house": "houses",
    "pizza": "pizzas",
    "croissant": "croissants",
    "bee": "bees",
    "rose": "roses",
}


@pytest.fixture(scope="module")
def embedded() -> Vocabulary:
    assert EMBEDDED.words
    return Vocabulary(EMBEDDED.words)


def test_every_thing_has_a_plural_and_it_is_taken_for_the_thing(embedded: Vocabulary) -> None:
    for thing in embedded.things:
        forms = list(plurals(thing))
        assert thing not in forms
        assert PLURALS.get(thing, f"{thing}s") in forms
        for form in forms:
            assert embedded.understood(form).prompt == thing


@pytest.mark.parametrize(
    ("typed", "prompt", "taken"),
    [
        ("a kitty on blue", "a cat on blue", {"kitty": "cat"}),
        ("an automobile", "a car", {"automobile": "car"}),
        ("an unicorns", "a unicorn", {"unicorns": "unicorn"}),
        ("An Automobile, noto", "a car, noto", {"automobile": "car"}),
        ("an aubergine", "an eggplant", {"aubergine": "eggplant"}),
        ("two (foxes:1.2) and puppies", "two (fox:1.2) and dog", {"foxes": "fox", "puppies": "dog"}),
        ("a fox on a gray backdrop", "a fox on a grey background", {"gray": "grey", "backdrop": "background"}),
        ("a bike and planes", "a bicycle and airplane", {"bike": "bicycle", "planes": "airplane"}),
        ("walruses and kittycat", "walruses and kittycat", {}),
    ],
)
def test_plurals_and_synonyms_are_understood(
    embedded: Vocabulary, typed: str, prompt: str, taken: dict[str, str]
) -> None:
    understood = embedded.understood(typed)
    assert (understood.prompt, understood.taken) == (prompt, taken)
    assert not set(embedded.unknown(typed)) & set(taken)
    assert all(word in str(understood.notice) for word in taken)


def test_what_is_known_stays_letter_by_letter(embedded: Vocabulary) -> None:
    words = [*embedded.things, *embedded.styles, *embedded.colours]
    for typed in ("A  Fox ,on\na BLUE background", " an octopus", *(f"a {word}, an {word}" for word in words)):
        understood = embedded.understood(typed)
        assert understood.prompt == typed
        assert understood.taken == {}
        assert understood.notice is None


def test_every_synonym_is_no_word_of_the_familys_and_means_one(embedded: Vocabulary) -> None:
    known = {*embedded.things, *embedded.styles, *embedded.colours, "picture", "photo", "background"}
    assert set(SYNONYMS.values()) <= known
    assert not set(SYNONYMS) & known


def test_notice_of_many_words_taken_for_others_stays_short(embedded: Vocabulary) -> None:
    notice = embedded.understood(" ".join(SYNONYMS)).notice
    assert notice
    assert notice.endswith(" and so on.")
    assert len(notice) < 500
