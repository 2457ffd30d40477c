"""The real page over a real Ray cluster: a head without a CPU, and a node with two, of which one after the other dies.

These tests share the cluster, and each goes on where the one before it left off.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
from gradio_client.client import Job
from gradio_client.exceptions import AppError
from PIL import Image

from tests.cluster.local_ray import LocalRay
from tests.embedded import FAMILY
from tests.started import ROOT, Started
from tests.visitor import Visitor

pytest.importorskip("ray", reason="Ray is not installed: requirements-cluster.txt")

PATIENCE = 300  # seconds: a replica that starts imports for as long as it has a processor
SLOW = {"prompt": "a fox", "images": 8, "width": 256, "height": 256, "seed": 1}


@pytest.fixture(scope="module")
def ray() -> Iterator[LocalRay]:
    with LocalRay() as ray:
        ray.add_node(cpus=2)
        yield ray


@pytest.fixture(scope="module")
def page(ray: LocalRay, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    folder = tmp_path_factory.mktemp("page")
    with Started(folder, "--family", "embedded", "--cluster", ray.address, OMP_NUM_THREADS="1") as page:
        page.address()
        yield page


@pytest.fixture(scope="module")
def visitor(page: Started, tmp_path_factory: pytest.TempPathFactory) -> Visitor:
    return Visitor(page.address(), tmp_path_factory.mktemp("visitor"))


def said(job: Job, seen: set[str]) -> set[str]:
    """All that a job's progress has told so far."""
    for unit in job.status().progress_data or ():
        seen.add(unit.desc or "")
    return seen


def wait_for(true: Callable[[], object], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_where_no_cluster_is_the_page_ends_with_a_sentence(tmp_path: Path) -> None:
    # Here and first, before the cluster of the others: "auto" joins any that runs on this machine.
    with Started(tmp_path, "--cluster", "auto", RAY_TMPDIR=str(tmp_path)) as page:
        assert page.ended() == 1
    assert page.said.startswith("The Ray cluster can't be joined: Could not find any running Ray instance.")
    assert len(page.said.splitlines()) == 1


def busiest(processes: list[psutil.Process]) -> psutil.Process:
    """The one that takes most of a processor at the moment."""

    def taken() -> list[float]:
        return [process.cpu_times().user for process in processes]

    before = most = np.array(taken())
    for _ in range(100):
        time.sleep(0.06)
        most = np.array(taken()) - before
        if most.max() > 0.05:
            break
    return processes[int(most.argmax())]


def test_each_tab_gives_the_pictures_of_a_page_that_makes_its_own(
    visitor: Visitor, address: str, tmp_path: Path
) -> None:
    local = Visitor(address, tmp_path)
    for endpoint in ("/text_to_image", "/lora", "/canny", "/image_to_image"):
        theirs, ours = (one.ask(endpoint, seed=5, images=2) for one in (local, visitor))
        # A replica computes with fewer threads, which add up in another order.
        assert max(map(farthest, ours.pictures, theirs.pictures)) <= 1
        different = {name for name in theirs.settings if theirs.settings[name] != ours.settings[name]}
        assert different <= {"seconds"}
    status = visitor.client.predict(api_name="/status")
    assert status["device"] == "Ray cluster, 2 CPU cores"
    assert {"part": "adapter", "from": str(FAMILY.adapter.origin)}.items() <= next(
        part for part in status["resident"] if part["part"] == "adapter"
    ).items()
    with pytest.raises(AppError, match="no base"):
        visitor.ask("/lora", base="nothing")


def test_progress_comes_step_by_step_and_stop_ends_it_within_a_step(visitor: Visitor) -> None:
    job = visitor.client.submit(**SLOW, api_name="/text_to_image")
    seen: set[str] = set()
    wait_for(lambda: any("Picture 2 of 8" in word for word in said(job, seen)))
    leases = visitor.client.predict(api_name="/status")["leases"]
    job.cancel()
    assert visitor.ask("/text_to_image", steps=1).pictures
    time.sleep(1)
    assert visitor.ask("/text_to_image", steps=1).pictures
    # Of the eight, the second was begun, and none long after it.
    assert visitor.client.predict(api_name="/status")["leases"] < leases + 9  # as many as without Stop


def farthest(one: Image.Image, other: Image.Image) -> int:
    return int(np.abs(np.asarray(one, int) - np.asarray(other, int)).max())


def third_begins(job: Job, seen: set[str]) -> bool:
    return any("Picture 3 of 8" in word for word in said(job, seen))


def test_a_replica_that_is_killed_in_mid_picture_loses_no_request(
    visitor: Visitor, ray: LocalRay, page: Started
) -> None:
    whole = visitor.ask("/text_to_image", **SLOW)
    for _ in range(3):  # it may end just between two pictures
        job = visitor.client.submit(**SLOW, api_name="/text_to_image")
        seen: set[str] = set()
        wait_for(partial(third_begins, job, seen))
        busiest(ray.replicas()).kill()
        gallery, _, _ = job.result(PATIENCE)
        assert [Path(entry["image"]).read_bytes() for entry in gallery] == [path.read_bytes() for path in whole.paths]
        if "A replica was lost while it made a picture." in page.said:
            break
        wait_for(lambda: len(ray.replicas()) == 2)
    else:
        pytest.fail(page.said)


def test_another_page_takes_the_replicas_that_are_there_and_may_go_again(
    visitor: Visitor, ray: LocalRay, tmp_path: Path
) -> None:
    wait_for(lambda: len(ray.replicas()) == 2)
    before = {process.pid for process in ray.replicas()}
    expected = visitor.ask("/text_to_image", seed=9).pixels
    with Started(tmp_path, "--family", "embedded", "--cluster", ray.address, OMP_NUM_THREADS="1") as other:
        assert Visitor(other.address(), tmp_path).ask("/text_to_image", seed=9).pixels == expected
    assert visitor.ask("/text_to_image", seed=9).pixels == expected
    assert {process.pid for process in ray.replicas()} == before


def test_a_new_version_replaces_the_replicas_and_loses_no_request(visitor: Visitor, ray: LocalRay) -> None:
    before = {process.pid for process in ray.replicas()}
    deploy = subprocess.Popen([sys.executable, "-m", "tests.cluster.deploy", ray.address], cwd=ROOT)
    made = 0
    while deploy.poll() is None:
        assert visitor.ask("/text_to_image", steps=1, seed=made).pictures
        made += 1
    assert deploy.returncode == 0
    assert made > 5
    assert not before & {process.pid for process in ray.replicas()}


def test_after_serve_was_shut_down_it_begins_anew(visitor: Visitor, ray: LocalRay) -> None:
    program = f"import ray; from ray import serve; ray.init('{ray.address}', log_to_driver=False); serve.shutdown()"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)

    def made() -> list[Image.Image]:
        with suppress(AppError):
            return visitor.ask("/text_to_image", steps=1).pictures
        return []

    wait_for(made)


def test_a_lost_node_is_waited_for(visitor: Visitor, ray: LocalRay) -> None:
    ray.nodes.pop().kill()
    job = visitor.client.submit("a cat", seed=2, api_name="/text_to_image")
    seen: set[str] = set()
    wait_for(lambda: any("None of the cluster's machines is ready" in word for word in said(job, seen)))
    ray.add_node(cpus=1)
    gallery, seed, _ = job.result(PATIENCE)
    assert (len(gallery), seed) == (1, 2)


def test_a_lost_head_is_a_sentence_and_the_page_goes_on_with_the_next(visitor: Visitor, ray: LocalRay) -> None:
    ray.kill()
    with pytest.raises(AppError, match="can't be reached at the moment"):
        visitor.client.submit("a cat", api_name="/text_to_image").result(PATIENCE)
    ray.start_head(cpus=1)
    assert visitor.ask("/text_to_image", steps=1).pictures
