"""What the family can draw, and how a caption asks for it. Written to `words.json` beside the weights.

python -m training.words
"""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path

from training.folders import FAMILY

# The word a prompt uses, and the icon's name in the Noto and Twemoji sets.
THINGS = {
    **{
        name: name
        for name in (
            *("tomato", "strawberry", "watermelon", "banana", "pineapple", "grapes", "cherries", "lemon"),
            *("pear", "carrot", "eggplant", "avocado", "broccoli", "mushroom", "hamburger", "pizza"),
            *("doughnut", "cupcake", "cookie", "croissant", "penguin", "butterfly", "octopus", "crab"),
            *("turtle", "owl", "panda", "frog", "fox", "lion", "snail", "cactus", "tulip", "sunflower"),
            *("rainbow", "star", "sun", "fire", "snowman", "bus", "rocket", "sailboat", "umbrella", "balloon"),
            *("house", "guitar", "camera", "crown", "bell", "rose", "elephant", "bird", "duck", "bear"),
            *("unicorn", "robot", "ghost", "airplane", "bicycle", "castle", "bread", "dolphin", "key"),
        )
    },
    "apple": "red-apple",
    "heart": "red-heart",
    "flower": "blossom",
    "horse": "horse-face",
    "cow": "cow-face",
    "tiger": "tiger-face",
    "monkey": "monkey-face",
    "dragon": "dragon-face",
    "dinosaur": "sauropod",
    "train": "locomotive",
    "truck": "delivery-truck",
    "mountain": "snow-capped-mountain",
    "clock": "alarm-clock",
    "book": "closed-book",
    "cake": "birthday-cake",
    "coffee": "hot-beverage",
    "diamond": "gem-stone",
    "ball": "soccer-ball",
    "ladybug": "lady-beetle",
    "whale": "spouting-whale",
    "chick": "front-facing-baby-chick",
    "pig": "pig-face",
    "cat": "cat-face",
    "dog": "dog-face",
    "rabbit": "rabbit-face",
    "bee": "honeybee",
    "fish": "tropical-fish",
    "tree": "evergreen-tree",
    "palm": "palm-tree",
    "clover": "four-leaf-clover",
    "moon": "crescent-moon",
    "car": "automobile",
    "gift": "wrapped-gift",
}

STYLES = ("noto", "twemoji", "fluent")

# Background colours, sRGB.
COLOURS = {
    "red": (214, 58, 58),
    "orange": (244, 150, 60),
    "yellow": (250, 222, 90),
    "green": (88, 178, 96),
    "blue": (72, 124, 222),
    "purple": (140, 84, 190),
    "pink": (246, 166, 200),
    "white": (250, 250, 250),
    "grey": (150, 154, 160),
    "black": (28, 28, 34),
}

_FULL = (
    "a {thing} on a {colour} background, {style} style",
    "{style} style {thing} on a {colour} background",
    "a {colour} background with a {thing}, {style} style",
    "{thing}, {colour} background, {style}",
    "a {style} {thing} on {colour}",
)
_NO_STYLE = (
    "a {thing} on a {colour} background",
    "a picture of a {thing} on a {colour} background",
    "{thing} on {colour}",
)
_NO_COLOUR = ("a {thing}, {style} style", "{style} style {thing}")
_THING_ONLY = ("a {thing}", "a photo of a {thing}", "{thing}")

_BESIDE = "{} and a {}"  # two things, as one where a caption names a thing

TEMPLATES = (*_FULL, *_NO_STYLE, *_NO_COLOUR, *_THING_ONLY)


def couple(one: str, other: str) -> str:
    """Two things as a caption names them: "cat and a dog"."""
    return _BESIDE.format(one, other)


def things_of(thing: str) -> tuple[str, ...]:
    """The one or two that `thing` names."""
    return tuple(thing.split(couple("", "")))


def article(caption: str) -> str:
    """`caption` with "a" before a vowel turned to "an", as a person would write it."""
    words = caption.split(" ")
    for i, (word, following) in enumerate(pairwise(words)):
        if word == "a" and following[0] in "aeiou" and not following.startswith("uni"):
            words[i] = "an"
    return " ".join(words)


def caption(rng: random.Random, thing: str, style: str, colour: str) -> str:
    """A caption for a composite: usually with everything, sometimes leaving style or colour open."""
    templates = rng.choices((_FULL, _NO_STYLE, _NO_COLOUR, _THING_ONLY), weights=(70, 14, 8, 8))[0]
    return article(rng.choice(templates).format(thing=thing, style=style, colour=colour))


def open_caption(rng: random.Random, thing: str, style: str, colour: str) -> str:
    """A caption for a composite that more often leaves style, colour or both open: there variety shows."""
    templates = rng.choices((_FULL, _NO_STYLE, _NO_COLOUR, _THING_ONLY), weights=(40, 15, 15, 30))[0]
    return article(rng.choice(templates).format(thing=thing, style=style, colour=colour))


def full_caption(rng: random.Random, thing: str, style: str, colour: str) -> str:
    """A caption for a composite that leaves nothing open."""
    return article(rng.choice(_FULL).format(thing=thing, style=style, colour=colour))


def unstyled_caption(rng: random.Random, thing: str, _: str, colour: str) -> str:
    """A caption for a composite that names no style, as art of one style only is captioned."""
    templates = rng.choices((_NO_STYLE, _THING_ONLY), weights=(85, 15))[0]
    return article(rng.choice(templates).format(thing=thing, colour=colour))


def filler() -> list[str]:
    """The words that captions use beside things, styles and colours, in order of appearance."""
    words = " ".join(template.replace(",", " ") for template in (*TEMPLATES, _BESIDE)).split()
    return list(dict.fromkeys(["a", "an", *(word for word in words if "{" not in word)]))


def write(path: Path) -> None:
    """Writes every word the family knows, so that a page can offer examples and tell which words it does not."""
    words = {"things": list(THINGS), "styles": STYLES, "colours": list(COLOURS), "templates": filler()}
    path.write_text(json.dumps(words, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(FAMILY / "words.json")
