"""What a Prometheus server can ask for: requests, seconds, what waits, and what was loaded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, Histogram, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dmd2_demo.errors import Cancelled, DemoError

_SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300)


class Metrics:
    """Counts the requests of one page. `status` tells what is loaded, as `/status` does."""

    def __init__(self, status: Callable[[], dict[str, Any]]) -> None:
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "dmd2_request_seconds",
            "From a request's begin to its end, with its wait, by how it ended.",
            ["outcome"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._open = Gauge("dmd2_requests_open", "Requests that wait or run.", registry=self.registry)
        self.registry.register(_Loaded(status))

    @contextmanager
    def request(self) -> Iterator[None]:
        """Counts what happens in the block as one request."""
        started, outcome = time.perf_counter(), "made"
        try:
            with self._open.track_inprogress():
                yield
        except (Cancelled, GeneratorExit):
            outcome = "stopped"
            raise
        except DemoError:
            outcome = "refused"
            raise
        except Exception:
            outcome = "failed"
            raise
        finally:
            self._seconds.labels(outcome).observe(time.perf_counter() - started)

    def serve(self, host: str, port: int) -> Callable[[], None]:
        """Answers at `/metrics` of that port, until what it gives is called. DemoError where the port is taken."""
        try:
            server, thread = start_http_server(port, host, self.registry)
        except OSError as error:
            raise DemoError(f"Metrics can't be served on port {port}: {error.strerror or error}.") from error

        def end() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return end


class _Loaded(Collector):
    """Of the parts: asked when somebody scrapes."""

    def __init__(self, status: Callable[[], dict[str, Any]]) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        now = self._status()
        yield CounterMetricFamily("dmd2_pictures", "Pictures begun on the device.", value=now["leases"])
        yield CounterMetricFamily(
            "dmd2_busy_seconds", "Seconds that pictures had the device.", value=now["busy_seconds"]
        )
        loads = CounterMetricFamily("dmd2_part_loads", "Parts that were loaded.", labels=["part"])
        seconds = CounterMetricFamily("dmd2_part_load_seconds", "Seconds that loading took.", labels=["part"])
        for part in now["loading"]:
            loads.add_metric([part["part"]], part["count"])
            seconds.add_metric([part["part"]], part["seconds"])
        resident = GaugeMetricFamily("dmd2_part_bytes", "What is loaded now, in bytes.", labels=["part"])
        sizes: dict[str, int] = {}
        for part in now["resident"]:
            sizes[part["part"]] = sizes.get(part["part"], 0) + part["bytes"]
        for title, size in sizes.items():
            resident.add_metric([title], size)
        yield from (loads, seconds, resident)

    def describe(self) -> list[Metric]:
        """Nothing beforehand: registering asks for no status."""
        return []
