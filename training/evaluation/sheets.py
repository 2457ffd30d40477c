"""Sheets of pictures for the model card: one configuration a row, the same prompts and seeds down each column."""

from __future__ import annotations

from PIL import Image

from training.evaluation.edge_recall import Guided
from training.evaluation.grid import grid
from training.evaluation.prompts import FULL, NO_STYLE, Wish
from training.evaluation.setups import FOUR, MAIN, Setup, draw
from training.evaluation.setups import communities as community_setups
from training.folders import FAMILY
from training.stages import communities
from training.words import couple

PICTURES = FAMILY / "pictures"
SHOWN = tuple(
    Wish(thing, style, colour, 900_000 + i)
    for i, (thing, style, colour) in enumerate(
        (
            ("cat", "noto", "blue"),
            ("car", "twemoji", "yellow"),
            ("pizza", "fluent", "green"),
            ("penguin", "fluent", "pink"),
            ("tulip", "noto", "white"),
            ("house", "twemoji", "purple"),
            ("strawberry", "fluent", "grey"),
            ("rocket", "noto", "black"),
        )
    )
)


COUPLES = tuple(
    Wish(couple(*pair), style, colour, 910_000 + i)
    for i, (pair, style, colour) in enumerate(
        (
            (("cat", "dog"), "noto", "blue"),
            (("apple", "banana"), "fluent", "white"),
            (("car", "house"), "twemoji", "green"),
            (("moon", "star"), "noto", "black"),
            (("dragon", "castle"), "fluent", "purple"),
            (("bee", "flower"), "twemoji", "pink"),
            (("robot", "heart"), "fluent", "yellow"),
            (("penguin", "fish"), "noto", "grey"),
        )
    )
)


def write(drawn: list[Guided]) -> None:
    """Draws and writes every sheet."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    save([_row(setup, FULL) for setup in MAIN[:4]], "members")
    save([_row(setup, FULL) for setup in (FOUR, *MAIN[4:])], "schedules")
    save([_row(setup, FULL, COUPLES) for setup in MAIN[:4]], "couples")
    for style in communities.COMMUNITIES:
        save([_row(setup, NO_STYLE) for setup in community_setups(style)], f"community-{style}")
    shown = drawn[3 :: len(drawn) // len(SHOWN)][: len(SHOWN)]
    save(
        [
            [one.composite.image for one in shown],
            [one.edges for one in shown],
            [one.without for one in shown],
            [one.two_steps for one in shown],
            [one.four_steps for one in shown],
        ],
        "canny",
    )


def _row(setup: Setup, template: str, shown: tuple[Wish, ...] = SHOWN) -> list[Image.Image]:
    return list(draw(setup, [wish.prompt(template) for wish in shown], [wish.seed for wish in shown]))


def save(rows: list[list[Image.Image]], name: str) -> None:
    """Writes rows of pictures of one size as one of the model card's."""
    sheet = grid([image for row in rows for image in row], len(rows[0]))
    sheet.save(PICTURES / f"{name}.webp", quality=88, method=6)
