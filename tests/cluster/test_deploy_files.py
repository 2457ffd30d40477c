"""The files in deploy/, held to what Ray makes and reads; in processes of their own, for Ray's imports warn."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"

needs_ray = pytest.mark.skipif(
    not Path(sys.executable).with_name("serve").exists(), reason="Ray is not installed: requirements-cluster.txt"
)


def ran(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@needs_ray
def test_the_config_is_what_serve_builds(tmp_path: Path) -> None:
    (tmp_path / "built.py").write_text(
        "from dmd2_demo.cluster.deployment import build\n"
        "app = build({'family': 'sdxl', 'min_replicas': 1, 'max_replicas': 8})\n"
    )
    serve = Path(sys.executable).with_name("serve")
    subprocess.run(
        [serve, "build", "built:app", "--app-dir", str(tmp_path), "-o", str(tmp_path / "built.yaml")],
        cwd=ROOT,
        env={"PATH": "", "PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0"},
        capture_output=True,
        check=True,
    )
    built = yaml.safe_load((tmp_path / "built.yaml").read_text())["applications"][0]["deployments"]
    (ours,) = yaml.safe_load((DEPLOY / "serve.yaml").read_text())["applications"]
    assert ours["deployments"] == [
        {name: value for name, value in built[0].items() if name not in {"ray_actor_options", "request_router_config"}}
    ]


@needs_ray
@pytest.mark.parametrize("name", ["serve.yaml", "kuberay.yaml"])
def test_serve_reads_the_config_and_makes_the_application(name: str) -> None:
    first: dict[str, Any] = next(yaml.safe_load_all((DEPLOY / name).read_text()))
    config = first["spec"]["serveConfigV2"] if name == "kuberay.yaml" else (DEPLOY / name).read_text()
    program = """
import sys, yaml
from ray._common.utils import import_attr
from ray.serve.schema import ServeDeploySchema
(application,) = ServeDeploySchema.model_validate(yaml.safe_load(sys.argv[1])).applications
assert application.name == "dmd2"
import_attr(application.import_path)(application.args)
"""
    done = ran(program, config)
    assert done.returncode == 0, done.stderr


@needs_ray
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [({"colour": "red"}, "colour: no argument"), ({"family": "none"}, "'none' is none of"), ({"budget": -1}, "-1")],
)
def test_a_wrong_argument_is_a_sentence(arguments: dict[str, object], sentence: str) -> None:
    program = "import sys, json\nfrom dmd2_demo.cluster.deployment import build\nbuild(json.loads(sys.argv[1]))"
    done = ran(program, json.dumps(arguments))
    assert sentence in done.stderr


def test_the_image_and_the_manifest_name_the_version_that_is_pinned() -> None:
    pinned = (ROOT / "requirements-cluster.txt").read_text().rpartition("==")[2].strip()
    manifest = next(yaml.safe_load_all((DEPLOY / "kuberay.yaml").read_text()))
    assert manifest["spec"]["rayClusterConfig"]["rayVersion"] == pinned
    assert f"ray[serve]=={pinned}" in (ROOT / "requirements-dev.txt").read_text()


def test_the_head_names_what_kuberay_looks_for() -> None:
    """Without a port of that name KubeRay's reconciliation ends with an error each time."""
    service: dict[str, Any] = next(yaml.safe_load_all((DEPLOY / "kuberay.yaml").read_text()))
    (head,) = service["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]["spec"]["containers"]
    assert {"name": "serve", "containerPort": 8000} in head["ports"]
