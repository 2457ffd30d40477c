from __future__ import annotations

import pytest

from bench.cluster_simulation import POLICIES, Outcome, Simulation, World

QUIET = World(4, picture=1.0, swap=3.0, load=0.01, bases=1, pictures_each=100)
BUSY = World(8, picture=1.0, swap=3.0, load=0.6, pictures_each=60)


def outcome(world: World, policy: str, *, prewarmed: bool = False) -> Outcome:
    return Simulation(world, POLICIES[policy], prewarmed=prewarmed).run()


@pytest.mark.parametrize("policy", POLICIES)
def test_where_nobody_waits_and_all_is_there_a_picture_takes_its_own_time(policy: str) -> None:
    found = outcome(QUIET, policy, prewarmed=True)
    assert found.swaps == 0
    assert found.median == pytest.approx(1.0)


def test_one_base_is_loaded_once_where_pictures_go_to_it_and_everywhere_where_not() -> None:
    count = QUIET.replicas * QUIET.pictures_each
    assert outcome(QUIET, "by parts").swaps == outcome(QUIET, "multiplexing").swaps == 1 / count
    assert outcome(QUIET, "random").swaps == QUIET.replicas / count


def test_one_replica_loads_as_its_room_demands_however_it_is_asked() -> None:
    alone = World(1, bases=2, room=1, load=0.1, pictures_each=200)
    assert len({outcome(alone, policy) for policy in POLICIES}) == 1
    assert outcome(World(1, bases=2, room=2, load=0.1, pictures_each=200), "random").swaps == 2 / 200


def test_pictures_that_go_to_their_parts_load_less_and_wait_less() -> None:
    ours, theirs, chance = (outcome(BUSY, policy) for policy in ("by parts", "multiplexing", "random"))
    assert ours.swaps < 0.5 * min(theirs.swaps, chance.swaps)
    assert ours.p95 < 0.5 * min(theirs.p95, chance.p95)


def test_a_busy_queue_is_longer_than_a_quiet_one() -> None:
    one = World(1, bases=1, swap=0, load=0.2, pictures_each=2000)
    busy = World(1, bases=1, swap=0, load=0.8, pictures_each=2000)
    means = [outcome(world, "by parts") for world in (one, busy)]
    assert means[0].p95 < means[1].p95
    # M/D/1 at 80 %: the mean wait is 2 pictures, so the median is above one of them.
    assert means[1].median > 2


def test_the_same_seed_gives_the_same_outcome() -> None:
    assert outcome(BUSY, "random") == outcome(BUSY, "random")
