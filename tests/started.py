"""`python app.py` as an operator starts it, in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parent.parent


class Started:
    """The process; `folder` is where the system's temporary files would be. It ends with the block."""

    def __init__(self, folder: Path, *arguments: str, root: Path = ROOT, **environment: str) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        self._lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "app.py", *arguments],
            cwd=root,
            env=clean | {"TMPDIR": str(self.temporary), "PYTHONUNBUFFERED": "1"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(10)

    @property
    def said(self) -> str:
        """All it printed so far."""
        return "".join(self._lines)

    def address(self) -> str:
        """Where the page says that it is, once it does."""
        self.wait_until(lambda: "Running on local URL" in self.said)
        found = re.search(r"Running on local URL: +(\S+)", self.said)
        assert found
        return found[1]

    def wait_until(self, true: Callable[[], object], seconds: float = 120) -> None:
        """Fails where that takes too long, or the process ends first."""
        deadline = time.monotonic() + seconds
        while not true():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.02)

    def end(self, *signals: signal.Signals) -> int:
        """Its exit code once it was sent those signals, soon after the first: nothing that runs is waited for."""
        for each in signals or (signal.SIGTERM,):
            self.process.send_signal(each)
        code = self.process.wait(30)
        self._reader.join(10)
        return code

    def ended(self, seconds: float = 120) -> int:
        """Its exit code, where it ends by itself."""
        code = self.process.wait(seconds)
        self._reader.join(10)
        return code

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                self._lines.append(line)
