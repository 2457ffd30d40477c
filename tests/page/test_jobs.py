from __future__ import annotations

import pytest

from dmd2_demo.page.jobs import Jobs


def test_stop_reaches_all_that_the_visitor_has_running_and_nobody_else() -> None:
    jobs = Jobs()
    with jobs.running("ann") as first, jobs.running("ann") as second, jobs.running("bob") as other:
        jobs.stop("ann")
        assert (first.is_set(), second.is_set(), other.is_set()) == (True, True, False)


def test_request_after_a_stop_runs() -> None:
    jobs = Jobs()
    with jobs.running("ann"):
        jobs.stop("ann")
    jobs.stop("ann")
    with jobs.running("ann") as event:
        assert not event.is_set()


def test_stop_of_a_stranger_changes_nothing() -> None:
    jobs = Jobs()
    jobs.stop("nobody")
    with jobs.running("ann") as event:
        jobs.stop("nobody")
        assert not event.is_set()


def test_request_that_failed_is_forgotten() -> None:
    jobs = Jobs()
    with pytest.raises(ZeroDivisionError), jobs.running("ann") as failed:
        raise ZeroDivisionError
    jobs.stop("ann")
    assert not failed.is_set()
