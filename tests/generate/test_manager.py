from __future__ import annotations

from collections.abc import Callable

import pytest

from dmd2_demo.errors import DemoError, OutOfMemory
from dmd2_demo.models.parts import Part, PipelineSpec
from dmd2_demo.progress import Progress, silent
from tests.fakes import (
    ADAPTER,
    BARE,
    CANNY,
    COMMUNITY,
    FOUR,
    FOUR_STEPS,
    ONE,
    ONE_STEP,
    SCHEDULER,
    TEXT,
    VAE,
    FakeBackend,
    resident,
    use,
)

GB = 10**9


def test_nothing_is_loaded_before_the_first_lease() -> None:
    backend = FakeBackend()
    status = backend.manager().status()
    assert (status.resident, status.loads, status.leases, backend.calls) == ((), 0, 0, [])


@pytest.mark.parametrize(
    ("before", "after", "loaded"),
    [
        (FOUR_STEPS, FOUR_STEPS, []),
        (FOUR_STEPS, CANNY, [ADAPTER]),
        (CANNY, FOUR_STEPS, []),
        (FOUR_STEPS, ONE_STEP, [ONE]),
        (ONE_STEP, CANNY, [FOUR, ADAPTER]),
        (FOUR_STEPS, COMMUNITY, [BARE]),
    ],
)
def test_a_change_loads_only_what_is_missing(before: PipelineSpec, after: PipelineSpec, loaded: list[Part]) -> None:
    backend = FakeBackend()
    manager = backend.manager()
    first = use(manager, before)
    backend.loaded()
    second = use(manager, after)
    assert backend.loaded() == loaded
    assert all(second[part] is first[part] for part in set(before.parts()) & set(after.parts()))


def test_status_tells_parts_with_bytes_and_counts() -> None:
    manager = FakeBackend().manager()
    use(manager, FOUR_STEPS)
    use(manager, CANNY)
    status = manager.status()
    assert dict(status.resident) == {FOUR: 10, TEXT: 3, VAE: 2, SCHEDULER: 0, ADAPTER: 1}
    assert (status.loads, status.leases) == (5, 2)


def test_loading_is_told_part_by_part() -> None:
    told: list[Progress] = []
    with FakeBackend().manager().lease(CANNY, told.append):
        pass
    assert [progress.sentence for progress in told] == [f"Loading the {part.title}" for part in CANNY.parts()]


@pytest.mark.parametrize(("leased", "dropped"), [((ONE_STEP, COMMUNITY), ONE), ((ONE_STEP, COMMUNITY, ONE_STEP), BARE)])
def test_budget_drops_the_least_recently_leased_part_and_only_what_it_must(
    leased: tuple[PipelineSpec, ...], dropped: Part
) -> None:
    backend = FakeBackend()
    manager = backend.manager(budget=35)  # three UNets and what they share
    for spec in (*leased, FOUR_STEPS):
        use(manager, spec)
    before = resident(manager)
    backend.calls.clear()
    use(manager, CANNY)
    assert before - resident(manager) == {dropped}
    assert backend.calls.count(("release", None)) == 1


def test_budget_holds_at_every_moment() -> None:
    backend = FakeBackend()
    manager = backend.manager(budget=16)
    for spec in (FOUR_STEPS, ONE_STEP, CANNY, COMMUNITY):
        use(manager, spec)
        assert sum(size for _, size in manager.status().resident) <= 16


def test_a_part_that_is_wanted_is_never_dropped_to_make_room() -> None:
    backend = FakeBackend()
    manager = backend.manager(budget=16)
    use(manager, CANNY)
    backend.loaded()
    use(manager, ONE_STEP)
    assert backend.loaded() == [ONE]


def test_spec_larger_than_the_budget_is_refused_in_a_sentence_and_the_next_request_works() -> None:
    manager = FakeBackend().manager(budget=15)
    with pytest.raises(OutOfMemory, match=r"^This needs .* of models; the operator's budget is .*\.$"):
        use(manager, CANNY)
    assert set(use(manager, FOUR_STEPS)) == set(FOUR_STEPS.parts())


@pytest.mark.parametrize("fails", ["fetch", "load"])
def test_failure_leaves_what_is_resident_usable_and_the_next_try_works(fails: str) -> None:
    backend = FakeBackend()
    manager = backend.manager()
    use(manager, FOUR_STEPS)
    backend.breaks[fails].add(ADAPTER)
    with pytest.raises(DemoError, match=f"The {fails} of adapter fails"):
        use(manager, CANNY)
    assert resident(manager) == set(FOUR_STEPS.parts())
    backend.loaded()
    use(manager, FOUR_STEPS)
    assert backend.loaded() == []
    backend.breaks[fails].clear()
    use(manager, CANNY)
    assert backend.loaded() == [ADAPTER]


def test_load_that_fails_midway_keeps_exactly_what_did_load() -> None:
    backend = FakeBackend(breaks={"fetch": set(), "load": {VAE}})
    manager = backend.manager()
    with pytest.raises(DemoError):
        use(manager, FOUR_STEPS)
    assert resident(manager) == {FOUR, TEXT}
    assert manager.status().leases == 0


def test_exception_inside_a_lease_ends_it() -> None:
    manager = FakeBackend().manager()
    with pytest.raises(ZeroDivisionError), manager.lease(FOUR_STEPS, silent):
        raise ZeroDivisionError
    assert set(use(manager, ONE_STEP)) == set(ONE_STEP.parts())


def test_unload_drops_all_and_gives_memory_back() -> None:
    backend = FakeBackend()
    manager = backend.manager()
    use(manager, CANNY)
    backend.calls.clear()
    manager.unload()
    assert (resident(manager), backend.calls) == (set(), [("release", None)])
    use(manager, FOUR_STEPS)
    assert backend.loaded() == list(FOUR_STEPS.parts())


def test_the_devices_room_drops_parts_as_a_budget_does() -> None:
    backend = FakeBackend()
    size = 20

    def room(working: int) -> int:
        return size - sum(held for _, held in manager.status().resident)

    manager = backend.manager(room=room)
    use(manager, CANNY)
    use(manager, ONE_STEP)
    assert resident(manager) == {ONE, TEXT, VAE, SCHEDULER, ADAPTER}


def test_where_the_room_seems_too_small_loading_is_tried_all_the_same() -> None:
    manager = FakeBackend().manager(room=lambda _: 0)
    use(manager, FOUR_STEPS)
    assert resident(manager) == {FOUR, TEXT, VAE, SCHEDULER}


def test_what_can_not_fit_is_refused_before_anything_is_loaded_and_after_others_made_room() -> None:
    backend = FakeBackend()

    def room(working: int) -> int:
        return 24 - working // GB - sum(held for _, held in manager.status().resident)

    def require(size: int, working: int) -> None:
        if size > room(working):
            raise OutOfMemory("too little")

    manager = backend.manager(room=room, require_room=require)
    use(manager, CANNY)
    use(manager, COMMUNITY)
    kept = resident(manager)
    assert kept == {*COMMUNITY.parts(), ADAPTER}
    backend.calls.clear()
    # The picture's own memory counts, also where all its parts are there.
    with pytest.raises(OutOfMemory), manager.lease(COMMUNITY, silent, pixels=4096 * 4096):
        raise AssertionError
    with pytest.raises(OutOfMemory), manager.lease(FOUR_STEPS, silent, pixels=4096 * 2048):
        raise AssertionError
    assert backend.loaded() == []
    assert resident(manager) <= kept
    use(manager, ONE_STEP)


def test_starting_over_drops_all_where_something_changed() -> None:
    backend = FakeBackend()
    manager = backend.manager()
    use(manager, FOUR_STEPS)
    assert manager.start_over(lambda _: None) is None
    assert resident(manager) == {FOUR, TEXT, VAE, SCHEDULER}

    def change(drop: Callable[[], None]) -> str:
        drop()
        return "changed"

    assert manager.start_over(change) == "changed"
    assert resident(manager) == set()
    assert backend.calls[-1] == ("release", None)
    use(manager, FOUR_STEPS)
