from __future__ import annotations

import errno
from collections.abc import Generator
from pathlib import Path

import pytest

from dmd2_demo.errors import DemoError
from dmd2_demo.page.full_disk import FULL_DISK
from dmd2_demo.page.jobs import Job, Jobs
from dmd2_demo.page.other_errors import UNFORESEEN


def test_stop_reaches_all_that_the_visitor_has_running_and_nobody_else() -> None:
    jobs = Jobs()
    with jobs.running("ann") as first, jobs.running("ann") as second, jobs.running("bob") as other:
        jobs.stop("ann")
        assert (first.stopped.is_set(), second.stopped.is_set(), other.stopped.is_set()) == (True, True, False)


def test_request_after_a_stop_runs() -> None:
    jobs = Jobs()
    with jobs.running("ann"):
        jobs.stop("ann")
    jobs.stop("ann")
    with jobs.running("ann") as job:
        assert not job.stopped.is_set()


def test_stop_of_a_stranger_changes_nothing() -> None:
    jobs = Jobs()
    jobs.stop("nobody")
    with jobs.running("ann") as job:
        jobs.stop("nobody")
        assert not job.stopped.is_set()


def test_stop_changes_nothing_about_a_request_that_failed() -> None:
    jobs = Jobs()
    with pytest.raises(ZeroDivisionError), jobs.running("ann") as failed:
        raise ZeroDivisionError
    jobs.stop("ann")
    assert not failed.stopped.is_set()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [(OSError(errno.ENOSPC, "full"), FULL_DISK), (ZeroDivisionError(), UNFORESEEN), (DemoError("So."), "So.")],
)
def test_who_comes_back_is_told_how_it_ended(error: Exception, sentence: str) -> None:
    jobs = Jobs()
    with pytest.raises(type(error)), jobs.running("ann") as job:
        raise error
    assert job.error == sentence


def test_request_that_is_given_up_between_two_pictures_is_told_as_stopped() -> None:
    jobs = Jobs()

    def pictures() -> Generator[Job]:
        with jobs.running("ann") as job:
            yield job
            yield job

    given_up = pictures()
    job = next(given_up)
    given_up.close()
    assert job.ended is not None
    assert job.error == "Stopped."


def finished(jobs: Jobs, visitor: str, content: bytes = b"pixels") -> Job:
    with jobs.running(visitor) as job:
        path = job.folder / "picture.png"
        path.write_bytes(content)
        job.outputs = ([str(path)], 1, {})
    return job


def test_who_comes_back_takes_over_the_last_job_and_nobody_else_does() -> None:
    jobs = Jobs()
    finished(jobs, "ann")
    last = finished(jobs, "ann")
    assert jobs.take_over("", "bob") is None
    assert jobs.take_over("somebody", "bob") is None
    assert jobs.take_over("ann", "ann, later") is last
    assert jobs.take_over("ann", "bob") is None
    assert last.outputs
    assert Path(last.outputs[0][0]).exists()


def test_what_still_runs_is_awaited_and_stops_with_its_new_owner() -> None:
    jobs = Jobs()
    with jobs.running("ann") as job:
        assert not jobs.is_awaited("ann")
        assert jobs.take_over("ann", "ann, later") is job
        assert jobs.is_awaited("ann")
        jobs.stop("ann")
        assert not job.stopped.is_set()
        jobs.stop("ann, later")
        assert job.stopped.is_set()
    assert not jobs.is_awaited("ann")


def test_sentence_that_ended_a_job_is_kept() -> None:
    jobs = Jobs()
    with pytest.raises(DemoError), jobs.running("ann"):
        raise DemoError("No.")
    job = jobs.take_over("ann", "ann, later")
    assert job
    assert job.error == "No."


def test_what_is_kept_is_bounded_in_number_size_and_time() -> None:
    jobs = Jobs(most_bytes=25)
    made = [finished(jobs, str(number), b"0123456789") for number in range(5)]
    assert [job.folder.exists() for job in made] == [False, False, False, True, True]
    again = finished(jobs, "4", b"0")
    assert [made[4].folder.exists(), again.folder.exists()] == [False, True]
    with jobs.running("4", kept=False) as unkept:
        unkept.outputs = ([], 1, {})
    assert [again.folder.exists(), unkept.folder.exists()] == [True, False]
    jobs = Jobs(minutes=0)
    old = finished(jobs, "ann")
    finished(jobs, "bob")
    assert not old.folder.exists()
