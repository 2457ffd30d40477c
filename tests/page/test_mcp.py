"""The endpoints as MCP tools, asked by the protocol's own client."""

from __future__ import annotations

import base64
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from PIL import Image

from tests import own_loop
from tests.served import ROOT, served
from tests.visitor import connect

FOX = ROOT / "dmd2_demo" / "embedded" / "examples" / "fox.png"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("mcp")
    process, address = served([sys.executable, "app.py", "--family", "embedded", "--mcp"], os.environ, folder / "log")
    yield address
    process.terminate()
    process.wait(30)


@asynccontextmanager
async def session(address: str) -> AsyncIterator[ClientSession]:
    async with (
        streamable_http_client(f"{address}/gradio_api/mcp/") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield session


def asked(address: str, ask: Callable[[ClientSession], Coroutine[Any, Any, Any]]) -> Any:
    async def main() -> Any:
        async with session(address) as opened:
            return await ask(opened)

    return own_loop.run(main)


def call(address: str, tool: str, **values: Any) -> Any:
    return asked(address, lambda opened: opened.call_tool(tool, values))


def data_url(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


def pictures(answer: Any, folder: Path) -> list[bytes]:
    """The pixels behind the addresses that an answer names."""
    found = []
    for number, url in enumerate(re.findall(r"http://[^\s\"']+?\.png", str(answer.content))):
        path = folder / f"{number}.png"
        urllib.request.urlretrieve(url, path)  # noqa: S310 - our own page
        with Image.open(path) as image:
            found.append(image.convert("RGB").tobytes())
    return found


def test_tools_are_the_endpoints_and_say_what_they_take(page: str) -> None:
    tools = {tool.name: tool for tool in asked(page, lambda opened: opened.list_tools()).tools}
    assert set(tools) == {"text_to_image", "lora", "canny", "image_to_image", "contact_sheet", "inspect", "status"}
    for name in ("text_to_image", "lora", "canny", "image_to_image"):
        schema = tools[name].inputSchema
        assert "Makes pictures" in tools[name].description
        assert all(told["description"] for told in schema["properties"].values())
        assert set(schema["required"]) == {"prompt", "image"} & set(schema["properties"])
    assert tools["text_to_image"].inputSchema["properties"]["steps"]["type"] == "integer"
    assert "fluent (Fluent (3D))" in tools["lora"].inputSchema["properties"]["base"]["description"]
    assert all(tools[name].description for name in ("inspect", "status"))


def test_a_tool_makes_the_picture_that_the_api_makes(page: str, tmp_path: Path) -> None:
    answer = call(page, "text_to_image", prompt="a cat", seed=7, steps=1)
    assert not answer.isError
    client = connect(page, download_files=tmp_path)
    gallery, _, _ = client.predict(prompt="a cat", seed=7, steps=1, api_name="/text_to_image")
    with Image.open(gallery[0]["image"]) as image:
        assert image.tobytes() in pictures(answer, tmp_path)


def test_a_picture_is_handed_over_as_a_data_url(page: str, tmp_path: Path) -> None:
    answer = call(page, "canny", prompt="a fox", seed=7, image=data_url(FOX))
    assert not answer.isError, answer.content
    assert pictures(answer, tmp_path)


def test_status_is_told(page: str) -> None:
    assert "embedded" in str(call(page, "status").content)


@pytest.mark.parametrize(
    ("tool", "values", "sentence"),
    [
        ("text_to_image", {"prompt": " "}, "the prompt is empty"),
        ("lora", {"prompt": "a cat", "lora_scale": 9}, "LoRA scale must be between 0 and 1.5"),
        ("canny", {"prompt": "a cat", "image": "/etc/passwd"}, "Invalid file data format"),
        ("canny", {"prompt": "a cat", "image": "http://127.0.0.1:1/x.png"}, "Only pictures uploaded to this page"),
    ],
)
def test_what_can_not_be_done_is_one_sentence(page: str, tool: str, values: dict[str, Any], sentence: str) -> None:
    answer = call(page, tool, **values)
    assert answer.isError
    assert sentence in str(answer.content)


def test_without_the_flag_there_are_no_tools(address: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{address}/gradio_api/mcp/")  # noqa: S310 - our own page
