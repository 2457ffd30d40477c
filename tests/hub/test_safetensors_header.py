from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from dmd2_demo.hub.safetensors_header import BrokenFile, Tensor, bytes_in, read_header

TENSORS = {"a.one": torch.zeros(2, 3).half(), "b.two": torch.zeros(4), "b.ids": torch.zeros(5, dtype=torch.int64)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save_file(TENSORS, tmp_path / "file.safetensors", metadata={"format": "pt"})
    return tmp_path / "file.safetensors"


def test_names_types_and_shapes(path: Path) -> None:
    assert read_header(path).tensors == {
        "a.one": Tensor("F16", (2, 3)),
        "b.two": Tensor("F32", (4,)),
        "b.ids": Tensor("I64", (5,)),
    }


def test_bytes_once_converted(path: Path) -> None:
    tensors = read_header(path).tensors
    assert bytes_in(tensors, 4) == 4 * (6 + 4) + 8 * 5
    assert bytes_in(tensors, 2, prefix="b.") == 2 * 4 + 8 * 5


@pytest.mark.parametrize("kept", [0, 7, 8, 20, -1])
def test_cut_file(path: Path, kept: int) -> None:
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(BrokenFile, match=r"end is missing|not a safetensors"):
        read_header(path)


def test_file_with_more_than_its_header_tells(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(BrokenFile, match="more bytes"):
        read_header(path)


@pytest.mark.parametrize(
    "header",
    [b"", b"nonsense", b"[]", b"{}x", b'{"a": 1}', b'{"a": {"dtype": "F16"}}', b'{"a": {"shape": [1]}}', b"\xff\xfe"],
)
def test_what_is_no_header(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "file.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(BrokenFile):
        read_header(path)


@pytest.mark.parametrize(
    "odd",
    [
        {"data_offsets": [0, "4"]},
        {"data_offsets": [4, 0]},
        {"data_offsets": 4},
        {"data_offsets": [0, 4.0]},
        {"dtype": None},
        {"dtype": ["F32"]},
        {"shape": ["a"]},
        {"shape": [-1]},
        {"shape": [True]},
        {"shape": [1] * 100},
        {"shape": [2]},
        {"dtype": "F8_E4M3"},
        {"data_offsets": [0, 10**400]},
    ],
    ids=str,
)
def test_header_that_lies(tmp_path: Path, odd: dict[str, Any]) -> None:
    write(tmp_path / "file", {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} | odd})
    with pytest.raises(BrokenFile):
        read_header(tmp_path / "file")


@pytest.mark.parametrize("metadata", [[1], "x", {"modelspec.architecture": 5}, {"a": {}}], ids=str)
def test_metadata_that_is_none(tmp_path: Path, metadata: object) -> None:
    entry = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    write(tmp_path / "file", {"__metadata__": metadata, "a": entry})
    with pytest.raises(BrokenFile):
        read_header(tmp_path / "file")


def write(path: Path, header: object) -> None:
    data = json.dumps(header).encode()
    path.write_bytes(len(data).to_bytes(8, "little") + data + bytes(4))


def test_web_page_in_place_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file.safetensors"
    path.write_text("<!doctype html><html>" + "sorry " * 1000)
    with pytest.raises(BrokenFile, match="not a safetensors"):
        read_header(path)


def test_tensor_without_elements(tmp_path: Path) -> None:
    header = json.dumps({"scalar": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]}}).encode()
    path = tmp_path / "file.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    assert bytes_in(read_header(path).tensors, 4) == 4
