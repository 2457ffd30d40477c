"""The process that speaks to Ray for the page. Ray ends it where it loses the cluster's head: so it is not the page's.

Ray is imported in here, once the process runs.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from dmd2_demo.cluster.words import Ask, Connected, Gone, Lost, Ready, Word
from dmd2_demo.errors import Failure
from dmd2_demo.progress import Progress
from dmd2_demo.settings import Settings

if TYPE_CHECKING:
    from ray.serve.handle import DeploymentHandle

_log = logging.getLogger(__name__)

_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_gcs_rpc_server_reconnect_timeout_s": "10",  # with no head for so long, Ray ends this process
}
_MOST = 64  # replicas, where machines join later
_PATIENCE = 1.0  # seconds without a word until it is told why
_MOST_SILENT = 15  # looks without an answer: a controller that crashed begins anew sooner, and no handle sees another's


def drive(connection: Connection, address: str, settings: Settings, before: Connected | None = None) -> None:
    """Joins the cluster at `address`, starts the replicas where nobody has, and hands over what is asked of them.

    `before` is what the cluster had when the page joined it first. What comes in is (number, Ask) or (number, None) to
    stop; what goes out is (number, Word), and None in place of a number for what is about none. It ends with the
    connection.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the page ends it
    os.environ.update(_ENVIRONMENT)
    asked: SimpleQueue[tuple[int, Ask | None]] = SimpleQueue()
    # From now on: what nobody reads would hold up the page, and a page that ends is to end this as well.
    Thread(target=_read, args=(connection, asked), name="asked", daemon=True).start()
    try:
        connected = _connect(address)
        connection.send((None, connected))
        handle = _handle(settings, before or connected)
    except Exception as error:  # noqa: BLE001 - Ray and what it runs raise what they like
        if not isinstance(error, ConnectionError | ValueError):  # those say enough
            _log.exception("The cluster can't be used.")
        connection.send((None, Gone(str(error).strip().splitlines()[0] if str(error) else type(error).__name__)))
        return
    asyncio.run(_Answers(connection, handle).serve(asked))


def _read(connection: Connection, asked: SimpleQueue[tuple[int, Ask | None]]) -> None:
    with suppress(EOFError, OSError):
        while True:
            asked.put(connection.recv())
    os._exit(0)  # nobody is there to wait for Ray's own end


def _connect(address: str) -> Connected:
    import ray  # noqa: PLC0415

    try:
        ray.init(address=address, namespace="dmd2", log_to_driver=False, logging_level=logging.WARNING)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # Ray's own prints a trace of its threads
    return _there()


def _there() -> Connected:
    import ray  # noqa: PLC0415

    now = ray.cluster_resources()
    return Connected(int(now.get("GPU", 0)), int(now.get("CPU", 0)))


def _handle(settings: Settings, first: Connected) -> DeploymentHandle[Any]:
    """The application's. Where it must be started, machines with GPUs are waited for if there were some at `first`."""
    from ray import serve  # noqa: PLC0415
    from ray.serve.config import ProxyLocation  # noqa: PLC0415
    from ray.serve.exceptions import RayServeException  # noqa: PLC0415

    from dmd2_demo.cluster.deployment import NAME, application  # noqa: PLC0415

    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    if NAME not in serve.status().applications:
        serve.start(proxy_location=ProxyLocation.Disabled)
        gpu = first.gpus > 0
        while gpu and not _there().gpus:
            time.sleep(_PATIENCE)
        now = _there().gpus if gpu else max(1, _there().cpus)
        if settings.family == "auto":
            settings = replace(settings, family="sdxl" if gpu else "embedded")
        target = application(settings, fewest=now, most=max(now, _MOST), gpu=gpu)
        serve.run_many([serve.RunTarget(target, name=NAME, route_prefix=None)], wait_for_applications_running=False)
    while True:  # another may be starting it
        try:
            return serve.get_app_handle(NAME).options(stream=True)
        except RayServeException:
            found = serve.status().applications.get(NAME)
            if found is None:
                raise
            if found.status == "DEPLOY_FAILED":  # a config of which nothing could be built
                raise ConnectionError(f"its application can't be made: {found.message}") from None
            time.sleep(_PATIENCE)


class _Answers:
    """All that is asked at the moment."""

    def __init__(self, connection: Connection, handle: DeploymentHandle[Any]) -> None:
        self._connection, self._handle = connection, handle
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._ready, self._worked, self._silent = 0, False, 0
        self._failure: str | None = None

    async def serve(self, asked: SimpleQueue[tuple[int, Ask | None]]) -> None:
        """For as long as the process runs and Serve is the one that was joined."""
        loop = asyncio.get_running_loop()

        def begin() -> None:
            while True:
                loop.call_soon_threadsafe(self._begin_or_stop, *asked.get())

        Thread(target=begin, name="begun", daemon=True).start()
        while self._silent < _MOST_SILENT:
            await self._look()
            await asyncio.sleep(_PATIENCE)
        self._connection.send((None, Gone("Serve was shut down")))

    def _begin_or_stop(self, number: int, ask: Ask | None) -> None:
        if ask is not None:
            task = self._tasks[number] = asyncio.create_task(self._answer(number, ask))
            task.add_done_callback(lambda _: self._tasks.pop(number))
        elif number in self._tasks:
            self._tasks[number].cancel()

    async def _answer(self, number: int, ask: Ask) -> None:
        from ray.exceptions import RayError, RayTaskError  # noqa: PLC0415

        def tell(word: Word) -> None:
            self._connection.send((number, word))

        response = self._handle.make.remote(ask)
        first = asyncio.ensure_future(anext(response))
        try:
            while not (await asyncio.wait({first}, timeout=_PATIENCE))[0]:
                tell(self._why_it_waits())
            tell(await first)
            async for word in response:
                tell(word)
        except asyncio.CancelledError:
            first.cancel()
            await asyncio.to_thread(response.cancel)  # it may wait for Serve's own thread
            await asyncio.gather(first, return_exceptions=True)
        except RayTaskError:  # such as a request that a replica of another version can't read
            _log.exception("A replica failed in an unforeseen way.")
            tell(Failure(None))
        except RayError as error:  # actors, workers, nodes and objects are lost; the replica itself tells of failures
            _log.warning("A replica is lost: %s", type(error).__name__)
            tell(Lost(first.done() and first.exception() is None))
        except Exception as error:  # noqa: BLE001 - Serve's
            _log.exception("The cluster can't be used.")
            tell(Gone(str(error)))

    async def _look(self) -> None:
        """Asks Serve how its application is, and tells how many replicas are ready where that changed."""
        from ray import serve  # noqa: PLC0415

        from dmd2_demo.cluster.deployment import NAME  # noqa: PLC0415

        try:
            application = (await asyncio.to_thread(serve.status)).applications.get(NAME)
        except Exception as error:  # noqa: BLE001 - Serve's controller begins anew; where the head is lost, Ray ends this
            _log.warning("Serve does not answer: %s", error)
            self._silent += 1
            return
        self._silent = 0
        self._failure, deployment = "its application was taken away", None
        if application:
            deployment = application.deployments.get(NAME)
            why = deployment.message if deployment else application.message
            failed = application.status == "DEPLOY_FAILED" and not self._worked
            self._failure = why if failed else None
        ready = deployment.replica_states.get("RUNNING", 0) if deployment else 0
        self._worked = self._worked or ready > 0
        if ready != self._ready:
            self._ready = ready
            self._connection.send((None, Ready(ready)))

    def _why_it_waits(self) -> Progress | Gone:
        if self._failure is not None:
            return Gone(self._failure)
        if not self._ready:
            return Progress("None of the cluster's machines is ready at the moment; waiting for one")
        return Progress(f"Waiting for one of the cluster's {self._ready} replicas")
