"""A Ray cluster of this machine alone, with replicas of the embedded family pinned to a core each."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from dmd2_demo.cluster.link import Link
from dmd2_demo.cluster.studio import ClusterStudio
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.settings import Settings

_START = 10.0  # seconds until a head answers

FAMILY = FAMILIES["embedded"].for_cpu()


@contextmanager
def joined(replicas: int, *, router: str = "parts", budget: int | None = None) -> Iterator[ClusterStudio]:
    """A studio whose pictures so many replicas make, once all are ready."""
    # Below those that the system gives to whoever asks for any, as Ray does a lot.
    port, clients = random.sample(range(20_000, 30_000), 2)
    address = f"127.0.0.1:{port}"
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # the paths of its sockets must be short
    ray = str(Path(sys.executable).with_name("ray"))
    command = [ray, "start", "--head", "--block", f"--port={port}", f"--num-cpus={replicas}"]
    command += ["--node-ip-address=127.0.0.1", "--object-store-memory=100000000", "--include-dashboard=false"]
    command.append(f"--ray-client-server-port={clients}")
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    head = subprocess.Popen(  # noqa: S603 - our own words
        [*command, "--disable-usage-stats", f"--temp-dir={folder}"],
        env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0"},
        **quiet,
    )
    try:
        deploy = [sys.executable, "-m", "bench.cluster_head", address, str(replicas), router, str(budget or 0)]
        time.sleep(_START)
        subprocess.run(deploy, check=True, **quiet)  # noqa: S603 - our own words
        _pin(head, replicas)
        link = Link(address, Settings())
        link.connected()
        studio = ClusterStudio(FAMILY, link)
        yield studio
        studio.close()
    finally:
        mine = psutil.Process(head.pid)
        for process in [*mine.children(recursive=True), mine]:
            process.kill()
        head.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _pin(head: subprocess.Popen[bytes], replicas: int) -> None:
    processes = psutil.Process(head.pid).children(recursive=True)
    found = [process for process in processes if "ServeReplica" in " ".join(process.cmdline())]
    assert len(found) == replicas
    for process, core in zip(found, psutil.Process().cpu_affinity() or [], strict=False):
        process.cpu_affinity([core])


def deploy(address: str, replicas: int, router: str, budget: int) -> None:
    """Starts the replicas and waits for them."""
    import ray  # noqa: PLC0415
    from ray import serve  # noqa: PLC0415

    from bench.random_router import RandomRouter  # noqa: PLC0415
    from dmd2_demo.cluster.deployment import NAME, application  # noqa: PLC0415
    from dmd2_demo.cluster.router import PartsRouter  # noqa: PLC0415

    ray.init(address=address, namespace="dmd2", log_to_driver=False)
    serve.start(proxy_location="Disabled")
    settings = Settings(family=FAMILY.name, budget=budget or None)
    chosen = PartsRouter if router == "parts" else RandomRouter
    target = application(settings, fewest=replicas, most=replicas, gpu=False, router=chosen)
    serve.run(target, name=NAME, route_prefix=None)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("replicas", type=int)
    parser.add_argument("router", choices=["parts", "random"])
    parser.add_argument("budget", type=int, help="bytes, 0 for no limit")
    deploy(**vars(parser.parse_args()))
