"""What is imported when: the page must open without waiting for what makes pictures."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "torch",
    "torchvision",
    "diffusers",
    "transformers",
    "peft",
    "accelerate",
    "controlnet_aux",
    "cv2",
    "xformers",
    "ray",
}


def imported_by(module: str) -> set[str]:
    """The top-level packages that a fresh interpreter has after importing `module`."""
    told = subprocess.run(
        [sys.executable, "-c", f"import {module}, sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in told.stdout.split()}


def test_the_page_opens_without_what_makes_pictures() -> None:
    assert not imported_by("dmd2_demo.open_page") & HEAVY


@pytest.mark.parametrize(
    "module",
    ["settings", "models.catalogue", "models.parts", "generate.manager", "generate.requests", "generate.picture"],
)
def test_data_and_manager_need_neither_the_page_nor_torch(module: str) -> None:
    assert not imported_by(f"dmd2_demo.{module}") & {*HEAVY, "gradio", "huggingface_hub"}


def test_studio_needs_no_page_and_the_backend_imports_on_demand() -> None:
    assert not imported_by("dmd2_demo.generate.studio") & {*HEAVY, "gradio"}
    assert not imported_by("dmd2_demo.generate.backend") & {*HEAVY, "gradio"}
