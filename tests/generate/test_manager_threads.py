from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Lock
from typing import Any

from dmd2_demo.models.parts import Part
from dmd2_demo.progress import silent
from tests.fakes import (
    ADAPTER,
    BARE,
    CANNY,
    COMMUNITY,
    FOUR_STEPS,
    ONE,
    ONE_STEP,
    FakeBackend,
    resident,
    use,
)


def test_two_threads_never_hold_a_lease_at_once_and_load_each_part_once() -> None:
    backend = FakeBackend()
    manager = backend.manager()
    start, holders, most = Barrier(8), set[int](), []

    def visit(number: int) -> None:
        start.wait()
        for spec in (FOUR_STEPS, CANNY, ONE_STEP, COMMUNITY):
            with manager.lease(spec, silent) as pipeline:
                holders.add(number)
                most.append(len(holders))
                assert set(pipeline) == set(spec.parts())
                holders.remove(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(visit, range(8)))
    assert set(most) == {1}
    assert len(most) == manager.status().leases == 32
    assert sorted(map(str, backend.loaded())) == sorted(map(str, {*CANNY.parts(), ONE, BARE}))


def test_status_does_not_wait_for_a_running_lease() -> None:
    manager = FakeBackend().manager()
    with manager.lease(FOUR_STEPS, silent), ThreadPoolExecutor(1) as pool:
        assert pool.submit(manager.status).result(timeout=5).leases == 1


def test_download_keeps_nobody_from_the_parts_that_are_there() -> None:
    downloading, go_on = Event(), Event()

    def wait(part: Part) -> None:
        if part == ADAPTER:
            downloading.set()
            go_on.wait(timeout=10)

    backend = FakeBackend(on_fetch=wait)
    manager = backend.manager()
    use(manager, FOUR_STEPS)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(use, manager, CANNY)
        assert downloading.wait(timeout=10)
        use(manager, FOUR_STEPS)
        assert not slow.done()
        go_on.set()
        assert set(slow.result(timeout=10)) == set(CANNY.parts())


def test_unload_waits_for_the_lease_of_the_moment() -> None:
    manager = FakeBackend().manager()
    with ThreadPoolExecutor(1) as pool:
        with manager.lease(FOUR_STEPS, silent):
            unloading = pool.submit(manager.unload)
            assert resident(manager) == set(FOUR_STEPS.parts())
            assert not unloading.done()
        unloading.result(timeout=10)
    assert resident(manager) == set()


def test_a_change_waits_for_the_lease_of_the_moment() -> None:
    manager = FakeBackend().manager()
    changed = Event()

    def change(_: Callable[[], None]) -> str:
        changed.set()
        return "changed"

    with ThreadPoolExecutor(1) as threads:
        with manager.lease(FOUR_STEPS, silent):
            waiting = threads.submit(manager.start_over, change)
            assert not changed.wait(0.05)
        assert waiting.result(timeout=10) == "changed"


def test_status_can_be_asked_while_others_lease_in_turn() -> None:
    """What it reads changes under it: it must read all or nothing of each change."""
    manager = FakeBackend().manager()
    parts = CountingDict(manager._resident, manager._changing)
    manager._resident = parts
    for spec in (FOUR_STEPS, CANNY, FOUR_STEPS):
        use(manager, spec)
    manager.status()
    manager.unload()
    assert parts.unguarded == []


class CountingDict(OrderedDict[Part, Any]):
    """Notes each change or walk that happens without the lock."""

    def __init__(self, held: OrderedDict[Part, Any], lock: Lock) -> None:
        self.lock, self.unguarded = lock, list[str]()
        super().__init__(held)
        self.unguarded.clear()

    def _note(self, what: str) -> None:
        if not self.lock.locked():
            self.unguarded.append(what)

    def __setitem__(self, key: Part, value: Any) -> None:
        self._note("set")
        super().__setitem__(key, value)

    def move_to_end(self, key: Part, last: bool = True) -> None:
        self._note("move")
        super().move_to_end(key, last)

    def clear(self) -> None:
        self._note("clear")
        super().clear()

    def items(self) -> Any:
        self._note("walk")
        return super().items()
