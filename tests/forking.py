"""A stand-in for `spaces.GPU`: work runs in a forked process, and everything that goes there or back is pickled.

As in spaces 0.51 (`zero/wrappers.py`): a worker is kept for later calls, only the class's name of an exception comes
back, and closing the generator stops the worker after what it is at.
"""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import torch

_FORK = multiprocessing.get_context("fork")


@dataclass
class Worker:
    """One forked process and our end of the pipe to it."""

    process: BaseProcess
    pipe: Connection


@dataclass
class ZeroGpu:
    """The decorator. `workers` that are kept serve later calls; `forks` counts those begun.

    `asked` are the seconds that were asked for. `refuses` is raised in place of giving a GPU.
    """

    forks: int = 0
    asked: list[int] = field(default_factory=list)
    refuses: Exception | None = None
    workers: list[Worker] = field(default_factory=list)

    def __call__(
        self, task: Callable[..., Iterator[Any]], *, duration: Callable[..., int]
    ) -> Callable[..., Iterator[Any]]:
        def run(*arguments: Any) -> Iterator[Any]:
            self.asked.append(duration(*arguments))
            if self.refuses:
                raise self.refuses
            worker = self.workers.pop() if self.workers else self._fork(task)
            worker.pipe.send_bytes(pickle.dumps(arguments))
            finished = False
            try:
                while True:
                    kind, value = pickle.loads(worker.pipe.recv_bytes())  # noqa: S301 - from our own fork
                    if kind == "end":
                        finished = True
                        return
                    if kind == "error":
                        raise RuntimeError(f"ZeroGPU worker error: {value}")
                    yield value
            finally:
                if finished:
                    self.workers.append(worker)
                else:
                    worker.process.terminate()

        return run

    def close(self) -> None:
        """Ends the workers that are kept."""
        while self.workers:
            worker = self.workers.pop()
            worker.process.terminate()
            worker.process.join()

    def _fork(self, task: Callable[..., Iterator[Any]]) -> Worker:
        ours, theirs = _FORK.Pipe()
        process = _FORK.Process(target=_work, args=(task, theirs), daemon=True)
        process.start()
        theirs.close()
        self.forks += 1
        return Worker(process, ours)


def _work(task: Callable[..., Iterator[Any]], pipe: Connection) -> None:
    torch.set_num_threads(1)  # the parent's pool of threads did not come along
    while True:
        arguments = pickle.loads(pipe.recv_bytes())  # noqa: S301 - from the test
        try:
            for value in task(*arguments):
                pipe.send_bytes(pickle.dumps(("value", value)))
        except Exception as error:  # noqa: BLE001 - as spaces does
            pipe.send_bytes(pickle.dumps(("error", type(error).__name__)))
        else:
            pipe.send_bytes(pickle.dumps(("end", None)))
