"""What a process is before anything large is imported: environment, memory, temporary files, and how it ends."""

from __future__ import annotations

import atexit
import ctypes
import logging
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from types import FrameType

import psutil
from filelock import FileLock, Timeout

from dmd2_demo.errors import DemoError

_OURS = ("DMD2_", "GRADIO_", "HF_")
_PREFIX = "dmd2-demo-"
_LOCK = "lock"  # held by who uses the folder, so that nobody else's start removes it
_TRIES = 20
_SECONDS_TO_START = 60  # from making the folder to holding its lock, at most

# Of malloc.h, with what they become here.
_M_TRIM_THRESHOLD, _MOST_KEPT = -1, 256 << 20
_M_MMAP_THRESHOLD, _LARGEST_KEPT = -3, 32 << 20  # as large as glibc lets it be
_M_ARENA_MAX, _ARENAS = -8, 1  # each would keep as much


def prepare() -> None:
    """Makes the process ready to import Gradio, which reads the environment as it is imported.

    Its temporary files are in a folder of its own from now on. DemoError where none can be made.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a sentence is no error in any locale
    _log_to_standard_error()
    drop_empty(os.environ)
    keep_freed_memory()
    _end_on_signals()
    _move_temporary_files()


def hide_from_gradio(environment: MutableMapping[str, str]) -> None:
    """Settings have read these; Gradio would look for a free port at that host in its own way."""
    for name in ("GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT"):
        environment.pop(name, None)


def drop_empty(environment: MutableMapping[str, str]) -> None:
    """An empty variable, as docker compose gives, is one that is not set."""
    for name in [name for name, value in environment.items() if name.startswith(_OURS) and not value.strip()]:
        del environment[name]


def keep_freed_memory() -> None:
    """Lets the memory of one picture's tensors serve the next: a page that the system gives anew costs a fault.

    Of glibc's allocator, where that is the one; what is larger than 32 MB still goes back at once.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        for option, value in (
            (_M_ARENA_MAX, _ARENAS),
            (_M_MMAP_THRESHOLD, _LARGEST_KEPT),
            (_M_TRIM_THRESHOLD, _MOST_KEPT),
        ):
            libc.mallopt(option, value)


def _log_to_standard_error() -> None:
    """Of this demo what it does, of libraries what is amiss."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("dmd2_demo").setLevel(logging.INFO)


def _end_on_signals() -> None:
    """The first of these signals ends the process at once, whatever it does; more of them change nothing."""
    ending = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    owner = os.getpid()

    def end(_signal: int, _frame: FrameType | None) -> None:
        for each in ending:
            signal.signal(each, signal.SIG_IGN)
        logging.disable()  # requests that lose their files now are no news
        if os.getpid() == owner:  # a fork ends alone
            for child in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):
                    child.terminate()
            _remove_temporary_files()
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        # Not by an exception: a library may be at work that catches all, and threads would be waited for.
        os._exit(0)

    for each in ending:
        signal.signal(each, end)


_held: list[FileLock] = []


def _move_temporary_files() -> None:
    """Others' files in the shared folder, such as another user's /tmp/gradio, are in nobody's way then."""
    try:
        shared = Path(tempfile.gettempdir())
        _remove_abandoned(shared)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        lock = FileLock(folder / _LOCK)
        lock.acquire()
        pictures = os.environ.get("GRADIO_TEMP_DIR")
        if pictures:
            Path(pictures).mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=pictures).close()
    except OSError as error:
        where = error.filename or "the folder for temporary files"
        raise DemoError(
            f"Nothing can be written to {where}: {error.strerror or error}. TMPDIR and GRADIO_TEMP_DIR choose another."
        ) from error
    _held.append(lock)
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    owner = os.getpid()
    atexit.register(lambda: _remove_temporary_files() if os.getpid() == owner else None)


def _remove_temporary_files() -> None:
    for folder in (Path(lock.lock_file).parent for lock in _held):
        # Other threads may write a file while others are removed.
        for _ in range(_TRIES):
            rmtree(folder, ignore_errors=True)
            if not folder.exists():
                break


def _remove_abandoned(shared: Path) -> None:
    """What killed processes left; one that was killed as it began or removed this has left no lock."""
    for folder in shared.glob(f"{_PREFIX}*"):
        lock = folder / _LOCK
        with suppress(OSError, Timeout):
            made = (lock if lock.exists() else folder).stat().st_mtime
            if time.time() - made > _SECONDS_TO_START:
                with FileLock(lock, timeout=0):
                    rmtree(folder, ignore_errors=True)
