"""The page as a program of its own."""

from __future__ import annotations

import random
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def served(command: Sequence[str], environment: Mapping[str, str], log: Path) -> tuple[subprocess.Popen[bytes], str]:
    """The started program and its address, once it answers there. What it says goes to `log`."""
    port = free_port()
    with log.open("wb") as file:
        page = subprocess.Popen(
            [*command, "--port", str(port)], cwd=ROOT, env=dict(environment), stdout=file, stderr=subprocess.STDOUT
        )
    wait_for(port, page, log)
    return page, f"http://127.0.0.1:{port}"


def address_of(page: Any) -> str:
    """Where Gradio's `page` answers, of which its types know nothing."""
    return str(page.local_url)


def free_port() -> int:
    """One that nobody listens on, below those that the system gives to programs, above those of Ray's workers."""
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as found, suppress(OSError):
            found.bind(("0.0.0.0", port))
            return port
    raise AssertionError


def wait_for(port: int, program: subprocess.Popen[bytes], log: Path) -> None:
    """Until somebody listens there. Fails where the program ends or takes five minutes."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert program.poll() is None, log.read_text(encoding="utf-8")
            time.sleep(0.3)
        else:
            return
    raise TimeoutError(log.read_text(encoding="utf-8"))
