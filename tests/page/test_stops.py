from __future__ import annotations

import pytest

from dmd2_demo.page.stops import Stops


def test_stop_reaches_all_that_the_visitor_has_running_and_nobody_else() -> None:
    stops = Stops()
    with stops.running("ann") as first, stops.running("ann") as second, stops.running("bob") as other:
        stops.stop("ann")
        assert (first.is_set(), second.is_set(), other.is_set()) == (True, True, False)


def test_request_after_a_stop_runs() -> None:
    stops = Stops()
    with stops.running("ann"):
        stops.stop("ann")
    stops.stop("ann")
    with stops.running("ann") as event:
        assert not event.is_set()


def test_stop_of_a_stranger_changes_nothing() -> None:
    stops = Stops()
    stops.stop("nobody")
    with stops.running("ann") as event:
        stops.stop("nobody")
        assert not event.is_set()


def test_request_that_failed_is_forgotten() -> None:
    stops = Stops()
    with pytest.raises(ZeroDivisionError), stops.running("ann") as failed:
        raise ZeroDivisionError
    stops.stop("ann")
    assert not failed.is_set()
