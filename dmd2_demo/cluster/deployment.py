"""The application that Ray Serve runs: replicas, how many, and with what each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray
from ray import serve
from ray.serve import Application
from ray.serve.config import AutoscalingConfig, RequestRouterConfig
from ray.serve.request_router import RequestRouter

from dmd2_demo.cluster.replica import Replica
from dmd2_demo.cluster.router import STATS_PERIOD, PartsRouter
from dmd2_demo.cluster.routing import ONGOING
from dmd2_demo.errors import DemoError
from dmd2_demo.settings import Settings

NAME = "dmd2"
"""Of the application, and of its one deployment."""

_FLAGS = ("family", "budget", "memory", "attention", "precision")  # of the page's, which are a replica's too
_ROOT = Path(__file__).parents[2]
_ENVIRONMENT = {
    "PYTHONPATH": str(_ROOT),
    "RAY_USAGE_STATS_ENABLED": "0",
    # A word on the way costs a change of threads less; nothing of a replica's holds up the loop that it shares with
    # Serve then, since pictures are made by threads of its own.
    "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
}
_DRAIN = 300.0  # seconds that a replica which is replaced has for what it is at
_SCALE_DOWN = 600.0  # seconds without work until a replica is given up: its models take long to load
_BACKOFF = 0.05  # seconds at most between two looks for a replica with room


class _Serving(Replica):
    """Learns of Ray what it may use."""

    def __init__(self, settings: Settings) -> None:
        mine = ray.get_runtime_context().get_assigned_resources()
        name = serve.get_replica_context().replica_id.unique_id
        super().__init__(settings, name, has_gpu=bool(mine.get("GPU")), cpus=int(mine.get("CPU", 1)))


def application(
    settings: Settings,
    *,
    fewest: int,
    most: int,
    gpu: bool,
    cpus: float = 1,
    router: type[RequestRouter] = PartsRouter,
) -> Application:
    """So many replicas, each with a GPU of its own or `cpus` of the CPU. `settings.family` is a family's name.

    `router` is another than the page's where they are compared.
    """
    deployment = serve.deployment(
        _Serving,
        name=NAME,
        max_ongoing_requests=ONGOING,
        autoscaling_config=AutoscalingConfig(
            min_replicas=fewest,
            max_replicas=most,
            target_ongoing_requests=1,
            upscale_delay_s=5,
            downscale_delay_s=_SCALE_DOWN,
        ),
        ray_actor_options={
            "num_cpus": cpus,
            "num_gpus": int(gpu),
            "runtime_env": {"env_vars": _ENVIRONMENT},
        },
        request_router_config=RequestRouterConfig(
            request_router_class=router,
            request_routing_stats_period_s=STATS_PERIOD,
            max_backoff_s=_BACKOFF,
        ),
        graceful_shutdown_timeout_s=_DRAIN,
        health_check_period_s=5,
    )
    # Nothing else of the page's is a replica's business, least of all who may log in.
    return deployment.bind(Settings(**{name: getattr(settings, name) for name in _FLAGS}))


def build(arguments: Mapping[str, Any]) -> Application:
    """The application of a Serve config file, from its `args`.

    `family` (sdxl), `budget`, `memory`, `attention` and `precision` are the flags of those names; `min_replicas` (1),
    `max_replicas` (1), `gpu` (true) and `cpus` (1) are a replica's. DemoError for others and for bad values.
    """
    rest = dict(arguments)
    fewest, most = int(rest.pop("min_replicas", 1)), int(rest.pop("max_replicas", 1))
    gpu, cpus = bool(rest.pop("gpu", True)), float(rest.pop("cpus", 1))
    if unknown := rest.keys() - set(_FLAGS):
        raise DemoError(f"{', '.join(sorted(unknown))}: no argument of the cluster's application has that name.")
    settings = Settings.read([], {f"DMD2_{name.upper()}": str(value) for name, value in rest.items()})
    settings = replace(settings, family="sdxl") if settings.family == "auto" else settings
    return application(settings, fewest=fewest, most=most, gpu=gpu, cpus=cpus)
