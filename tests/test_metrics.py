from __future__ import annotations

import socket
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gradio_client.exceptions import AppError
from prometheus_client.parser import text_string_to_metric_families

from dmd2_demo.errors import Cancelled, DemoError
from dmd2_demo.metrics import Metrics
from tests.served import free_port
from tests.started import Started
from tests.visitor import Visitor


def status() -> dict[str, Any]:
    return {
        "resident": [{"part": "UNet", "from": "a", "bytes": 5}, {"part": "UNet", "from": "b", "bytes": 7}],
        "leases": 3,
        "busy_seconds": 1.5,
        "loading": [{"part": "UNet", "count": 4, "seconds": 2.5}],
    }


def scraped(port: int) -> dict[tuple[str, str], float]:
    """The value of each sample by its name and its label, "" without one."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        families = text_string_to_metric_families(answer.read().decode())
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in families
        for sample in family.samples
    }


def test_requests_are_counted_by_how_they_ended() -> None:
    metrics = Metrics(status)

    def run(error: BaseException | None) -> None:
        with metrics.request():
            if error:
                raise error

    run(None)
    for error in (Cancelled(), DemoError("No."), ValueError()):
        with pytest.raises(type(error)):
            run(error)
    count: Callable[[str], float | None] = lambda outcome: metrics.registry.get_sample_value(  # noqa: E731
        "dmd2_request_seconds_count", {"outcome": outcome}
    )
    assert [count(outcome) for outcome in ("made", "stopped", "refused", "failed")] == [1, 1, 1, 1]
    with metrics.request():
        assert metrics.registry.get_sample_value("dmd2_requests_open") == 1
    assert metrics.registry.get_sample_value("dmd2_requests_open") == 0


def test_what_is_loaded_is_told_by_part() -> None:
    port = free_port()
    end = Metrics(status).serve("127.0.0.1", port)
    told = scraped(port)
    end()
    assert told["dmd2_part_bytes", "UNet"] == 12
    assert told["dmd2_part_loads_total", "UNet"] == 4
    assert told["dmd2_part_load_seconds_total", "UNet"] == 2.5
    assert (told["dmd2_pictures_total", ""], told["dmd2_busy_seconds_total", ""]) == (3, 1.5)


def test_a_port_that_is_taken_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(DemoError, match="Metrics can't be served"):
        Metrics(status).serve("127.0.0.1", taken.getsockname()[1])


def test_the_page_answers_where_it_is_asked_to(tmp_path: Path) -> None:
    port = free_port()
    with Started(tmp_path, "--family", "embedded", "--metrics-port", str(port)) as page:
        visitor = Visitor(page.address(), tmp_path)
        visitor.ask("/text_to_image", images=2, steps=1)
        with pytest.raises(AppError):
            visitor.ask("/lora", base="nothing")
        told = scraped(port)
    assert told["dmd2_pictures_total", ""] == 2
    assert told["dmd2_request_seconds_count", "made"] == 1
    assert told["dmd2_request_seconds_count", "refused"] == 1
    assert told["dmd2_part_loads_total", "UNet"] == 1
    assert told["dmd2_busy_seconds_total", ""] > 0
    assert told["dmd2_requests_open", ""] == 0
