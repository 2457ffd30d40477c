"""A small Ray cluster on this machine: a head that computes nothing, and nodes that come and go."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

from tests.served import free_port

_RAY = Path(sys.executable).with_name("ray")
_MEMORY = 100_000_000  # bytes of each object store


class Node:
    """A node's processes, in the foreground of one."""

    def __init__(self, log: Path, *arguments: str) -> None:
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                [_RAY, "start", "--block", *arguments, f"--object-store-memory={_MEMORY}", "--disable-usage-stats"],
                env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0"},
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def kill(self) -> None:
        """All of it at once, as when the power fails."""
        with suppress(psutil.NoSuchProcess):
            mine = psutil.Process(self.process.pid)
            for process in [mine, *mine.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        self.process.wait()


class LocalRay:
    """The cluster, until the block ends."""

    def __init__(self) -> None:
        self._port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # the paths of its sockets must be short
        self.log = self.folder / "log"
        self.nodes: list[Node] = []
        self._started = 0
        self.address = f"127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.start_head()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_head(self, cpus: int = 0) -> None:
        """Begins, or begins anew at the same address."""
        self.nodes.append(
            Node(
                self.log,
                "--head",
                f"--port={self._port}",
                "--node-ip-address=127.0.0.1",
                f"--ray-client-server-port={free_port()}",
                f"--num-cpus={cpus}",
                "--include-dashboard=false",
                f"--temp-dir={self.folder / 's'}",
            )
        )
        self._wait_for_start()

    def add_node(self, cpus: int) -> Node:
        """One more, once the head knows it."""
        node = Node(self.log, f"--address={self.address}", "--node-ip-address=127.0.0.1", f"--num-cpus={cpus}")
        self.nodes.append(node)
        self._wait_for_start()
        return node

    def _wait_for_start(self) -> None:
        """Until the last node says that it has joined."""
        deadline = time.monotonic() + 120
        while self.log.read_text(encoding="utf-8").count("Ray runtime started.") < self._started + 1:
            assert time.monotonic() < deadline, self.log.read_text(encoding="utf-8")
            assert self.nodes[-1].process.poll() is None, self.log.read_text(encoding="utf-8")
            time.sleep(0.2)
        self._started += 1

    def replicas(self) -> list[psutil.Process]:
        """The processes that make pictures."""
        found = []
        for node in self.nodes:
            with suppress(psutil.NoSuchProcess):
                for process in psutil.Process(node.process.pid).children(recursive=True):
                    with suppress(psutil.NoSuchProcess):
                        found += [process] if "ServeReplica" in " ".join(process.cmdline()) else []
        return found

    def kill(self) -> None:
        """Every node, the head last."""
        while self.nodes:
            self.nodes.pop().kill()
