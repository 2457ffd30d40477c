from __future__ import annotations

from dmd2_demo.cluster.routing import LOAD, Load, cost, part_key, ranked, sizes
from dmd2_demo.models.parts import UNet
from dmd2_demo.models.sources import HubRepo
from tests.embedded import FAMILY, lora, text

FOUR = sizes(text(steps=4).spec().parts())
ONE = sizes(text(steps=1).spec().parts())
OTHER = sizes(lora(base=FAMILY.bases[0]).spec().parts())


def replica(waiting: int = 0, *resident: dict[str, int]) -> Load:
    return Load(waiting, frozenset(key for parts in resident for key in parts))


def test_equal_parts_have_equal_keys() -> None:
    assert part_key(UNet(HubRepo("a/b"))) == part_key(UNet(HubRepo("a/b"))) != part_key(UNet(HubRepo("a/c")))


def test_loading_everything_costs_some_pictures_and_shared_parts_nothing() -> None:
    assert cost(FOUR, replica()) == LOAD
    assert cost(FOUR, replica(2, FOUR)) == 2
    assert 0 < cost(ONE, replica(0, FOUR)) < LOAD


def test_a_picture_goes_where_its_parts_are() -> None:
    assert ranked(FOUR, {"bare": replica(), "other": replica(0, OTHER), "has": replica(0, FOUR)}) == ["has"]


def test_among_equals_the_least_busy_comes_first_and_the_next_is_another_choice() -> None:
    assert ranked(FOUR, {"busy": replica(1, FOUR), "idle": replica(0, FOUR)}) == ["idle"]
    assert set(ranked(FOUR, {"a": replica(1, FOUR), "b": replica(1, FOUR)})) == {"a", "b"}


def test_who_has_nothing_of_it_gets_it_once_the_others_have_enough_to_do() -> None:
    def first(waiting: int) -> str:
        return ranked(FOUR, {"hot": replica(waiting, FOUR), "idle": replica(0, OTHER)})[0]

    assert first(1) == "hot"
    assert first(int(LOAD) + 1) == "idle"


def test_a_new_base_goes_where_nothing_was_wanted_for_longest() -> None:
    full = frozenset(OTHER)
    assert ranked(FOUR, {"late": Load(0, full, 9.0), "early": Load(0, full, 3.0), "between": Load(0, full, 5.0)}) == [
        "early",
        "between",
        "late",
    ]


def test_no_replica_is_no_choice() -> None:
    assert ranked(FOUR, {}) == []
