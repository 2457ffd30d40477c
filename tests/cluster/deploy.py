"""Puts another version of the application onto the cluster whose address is given, as an operator would."""

from __future__ import annotations

import logging
import sys

import ray
from ray import serve

from dmd2_demo.cluster.deployment import NAME, build

if __name__ == "__main__":
    ray.init(address=sys.argv[1], namespace="dmd2", log_to_driver=False, logging_level=logging.WARNING)
    arguments = {"family": "embedded", "gpu": False, "min_replicas": 1, "max_replicas": 1, "budget": 1}
    serve.run(build(arguments), name=NAME, route_prefix=None)
