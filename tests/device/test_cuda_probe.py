from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from dmd2_demo.device.cuda_driver import cuda_device_name
from dmd2_demo.device.cuda_probe import Gpu, compute, find_gpu, probed
from tests.started import Started
from tests.visitor import connect

STUB = """
#include <string.h>
int cuInit(unsigned flags) { return 0; }
int cuDeviceGet(int *device, int ordinal) { *device = 0; return 0; }
int cuDeviceGetName(char *name, int length, int device) { strncpy(name, "GeForce Stub", length); return 0; }
"""


def test_machine_without_a_driver_has_no_gpu_and_tries_nothing() -> None:
    def fail() -> str | None:
        raise AssertionError

    assert find_gpu(lambda: None, fail) is None


@pytest.mark.parametrize("trouble", [None, "its memory is full"])
def test_gpu_is_what_the_trial_says(trouble: str | None) -> None:
    assert find_gpu(lambda: "H100", lambda: trouble) == Gpu("H100", trouble)


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("print('{\"trouble\": null}')", None),
        ("print('noise'); print('{\"trouble\": \"it is old\"}')", "it is old"),
        ("import os; os.abort()", "PyTorch ended as it used it (exit code -6), and a newer driver may help"),
        ("import sys; sys.exit('no module')", "PyTorch ended as it used it (exit code 1), and a newer driver may help"),
        ("print('[1]')", "PyTorch ended as it used it (exit code 0), and a newer driver may help"),
        ("import time; time.sleep(60)", "it did not answer in 3 seconds, and restarting the machine may help"),
    ],
)
def test_whatever_happens_to_the_trial_is_a_clause(program: str, found: str | None) -> None:
    assert probed(("-c", program), patience=3 if "sleep" in program else 60) == found


def test_computation_is_right_or_its_trouble_is_told() -> None:
    trouble = compute()
    assert (trouble is None) == torch.cuda.is_available()
    assert trouble is None or "\n" not in trouble


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("CUDA error: no kernel image is available for execution on the device", "has no kernels for it"),
        ("CUDA error: unknown error\nCompile with TORCH_USE_CUDA_DSA", "CUDA error: unknown error, and a newer driver"),
    ],
)
def test_card_that_torch_finds_and_can_not_use(error: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_tensor: torch.Tensor) -> torch.Tensor:
        raise RuntimeError(error)

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.Tensor, "cuda", fail)
    assert told in (compute() or "")


@pytest.mark.skipif(shutil.which("cc") is None or cuda_device_name() is not None, reason="needs cc, and no driver")
@pytest.mark.parametrize("family", ["auto", "sdxl"])
def test_driver_that_torch_can_not_use_is_named_and_the_cpu_computes(tmp_path: Path, family: str) -> None:
    (tmp_path / "stub.c").write_text(STUB, encoding="utf-8")
    library = tmp_path / "libcuda.so.1"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, tmp_path / "stub.c"], check=True)  # noqa: S607
    with Started(tmp_path, "--family", family, LD_LIBRARY_PATH=str(tmp_path)) as page:
        address = page.address()
        client = connect(address)
        status = client.predict(api_name="/status")
        assert status["device"] == "CPU"
        assert status["family"] == ("embedded" if family == "auto" else "sdxl")
        shown = str(client.config["components"])
        assert "GeForce Stub can&#x27;t be used: " in shown
        assert "The CPU computes instead." in shown
        assert page.end() == 0
