"""What a request may open: the visitor's own uploads, and nothing else, by whatever event and in whatever form."""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio.utils import get_upload_folder
from gradio_client import handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from dmd2_demo.page.uploads import NOT_YOURS
from tests.raw_visitor import PATIENCE, RawVisitor, Reply
from tests.visitor import Visitor

META = {"_type": "gradio.FileData"}


@pytest.fixture
def raw(address: str) -> Iterator[RawVisitor]:
    with RawVisitor(address) as visitor:
        yield visitor


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A picture that nobody uploaded."""
    path = tmp_path / "secret.png"
    Image.effect_noise((200, 200), 90).convert("RGB").save(path)
    return path


def sent(raw: RawVisitor, event: dict[str, Any], file: object) -> Reply:
    """The reply to `file` in place of every picture, and to defaults for the rest."""
    components = {component["id"]: component for component in raw.config["components"]}
    inputs = [components[number] for number in event["inputs"]]
    data = [file if one["type"] == "image" else one["props"].get("value") for one in inputs]
    return raw.send(event, ["a cat" if value is None or value == "" else value for value in data])


def takers(raw: RawVisitor) -> list[dict[str, Any]]:
    """The events with a picture among their inputs."""
    pictures = {one["id"] for one in raw.config["components"] if one["type"] == "image"}
    found = [event for event in raw.events if pictures & set(event["inputs"])]
    assert len(found) >= 2
    return found


FORMS: dict[str, Callable[[str], object]] = {
    "with meta": lambda path: {"path": path, "meta": META},
    "without meta": lambda path: {"path": path},
    "odd meta": lambda path: {"path": path, "meta": "gradio.FileData"},
    "stream": lambda path: {"path": path, "meta": META, "is_stream": True},
    "bare": lambda path: path,
    "list": lambda path: [path],
    "url": lambda path: {"url": f"/gradio_api/file={path}", "meta": META},
    "path and url": lambda path: {"path": path, "url": f"/gradio_api/file={path}", "meta": META},
    "as served": lambda path: {"path": f"/gradio_api/file={path}", "meta": META},
    "file address": lambda path: {"path": f"file://{path}", "meta": META},
    "dots": lambda path: {"path": f"{get_upload_folder()}/{'../' * 12}{path}", "meta": META},
    "share": lambda path: {"path": f"//localhost{path}", "meta": META},
    "backslashes": lambda path: {"path": "\\\\localhost" + path.replace("/", "\\"), "meta": META},
    "relative": lambda path: {"path": os.path.relpath(path), "meta": META},
    "halves in names": lambda path: {"pa\ud83eth": path, "meta": META},
    "halves inside": lambda path: {"path": f"{path[:6]}\ud83e{path[6:]}", "meta": {"_type\ud83e": "gradio.FileData"}},
}


@pytest.mark.parametrize("form", FORMS)
def test_no_event_opens_a_file_of_the_machine_nor_tells_whether_it_exists(
    raw: RawVisitor, secret: Path, form: str
) -> None:
    for event in takers(raw):
        for path in (str(secret), "/nowhere/at/all.png", "/etc/passwd", str(secret.parent)):
            assert sent(raw, event, FORMS[form](path)) == Reply(None, NOT_YOURS), event["api_name"]


def test_what_lies_in_gradios_own_folder_is_not_the_visitors_for_that(raw: RawVisitor, secret: Path) -> None:
    folder = Path(get_upload_folder()) / "somebody"
    folder.mkdir(parents=True, exist_ok=True)
    kept, link = folder / "kept.png", folder / "link.png"
    kept.write_bytes(secret.read_bytes())
    link.unlink(missing_ok=True)
    link.symlink_to(secret)
    for event in takers(raw):
        for path in (kept, link, folder / "missing.png"):
            assert sent(raw, event, {"path": str(path), "meta": META}).error == NOT_YOURS


def test_what_a_visitor_uploaded_is_theirs_at_every_event_and_nobody_elses(
    address: str, raw: RawVisitor, secret: Path
) -> None:
    file = raw.upload(secret)
    for event in takers(raw):
        # That there are no settings in it is said of a picture that was opened.
        assert sent(raw, event, file).error != NOT_YOURS
        assert sent(raw, event, {"path": file["path"]}).error != NOT_YOURS
        with RawVisitor(address) as other:
            assert sent(other, event, file).error == NOT_YOURS
            for form in FORMS.values():
                assert sent(other, event, form(file["path"])).error == NOT_YOURS


def test_two_who_upload_the_same_picture_both_have_it(address: str, raw: RawVisitor, secret: Path) -> None:
    with RawVisitor(address) as other:
        for visitor in (raw, other, raw, other):
            assert visitor.ask("canny", prompt="a cat", image=visitor.upload(secret)).data


def test_picture_that_the_page_made_may_come_back_from_its_visitor_alone(address: str, raw: RawVisitor) -> None:
    made = raw.ask("text_to_image", prompt="a cat", steps=1).data
    assert made
    file = made[0][0]["image"]
    assert raw.ask("canny", prompt="a cat", image=file).data
    with RawVisitor(address) as other:
        assert other.ask("canny", prompt="a cat", image=file).error == NOT_YOURS


def test_example_can_be_used_by_everybody(address: str) -> None:
    for _ in range(2):
        with RawVisitor(address) as raw:
            galleries = {one["id"]: one for one in raw.config["components"] if "examples" in classes(one)}
            for event in (event for event in raw.events if {target for target, _ in event["targets"]} & set(galleries)):
                ((gallery, _),) = event["targets"]
                first = galleries[gallery]["props"]["value"][0]
                values = raw.send(event, [], event_data={"index": 0, "value": first}).data or []
                assert values
                assert raw.ask("canny", prompt="a cat", image=first["image"]).data
            # Canny's are the last ones.
            pictures = {one["id"] for one in raw.config["components"] if one["type"] == "image"}
            (place,) = (number for number, output in enumerate(event["outputs"]) if output in pictures)
            assert raw.ask("canny", prompt="a cat", image=values[place]["value"]).data


def classes(component: dict[str, Any]) -> list[str]:
    """Its CSS classes."""
    told = component["props"].get("elem_classes") or []
    return [told] if isinstance(told, str) else told


def test_other_inputs_are_no_way_to_a_file_either(raw: RawVisitor, secret: Path) -> None:
    hidden = {"deep": [{"path": str(secret), "meta": META}]}
    for event in raw.events:
        if event["inputs"]:
            assert raw.send(event, [hidden] * len(event["inputs"])).error == NOT_YOURS, event["api_name"]
        told = raw.send(event, [None] * len(event["inputs"]), event_data=hidden)
        assert told.error == NOT_YOURS, event["api_name"]


def test_data_url_is_a_picture(raw: RawVisitor, secret: Path) -> None:
    url = "data:image/png;base64," + base64.b64encode(secret.read_bytes()).decode()
    pictures = [
        raw.ask("canny", prompt="a cat", seed=1, image=image).data
        for image in (url, {"url": url}, {"path": url, "meta": META}, raw.upload(secret))
    ]
    assert all(pictures)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("data:image/png;base64,????", "The picture's data URL is damaged: it is no base64."),
        ("data:image/png,abc", "A picture in a data URL must be in base64: data:image/png;base64,..."),
        ("data:text/plain;base64,AAAA", "That file is not a picture that can be read."),
        ("data:", "A picture in a data URL must be in base64: data:image/png;base64,..."),
    ],
)
def test_bad_data_url_gets_a_sentence(raw: RawVisitor, url: str, sentence: str) -> None:
    assert raw.ask("canny", prompt="a cat", image=url).error == sentence


@pytest.mark.parametrize("nothing", [None, "", {}, {"path": None}, {"path": "", "url": None, "meta": META}])
def test_no_picture_is_told_as_before(raw: RawVisitor, nothing: object) -> None:
    assert raw.ask("canny", prompt="a cat", image=nothing).error == "Choose a picture first."


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """The address of a server, and what it was asked for."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/picture.png", paths
    server.shutdown()
    thread.join()
    server.server_close()


def test_page_fetches_no_address_for_anybody(address: str, raw: RawVisitor, asked: tuple[str, list[str]]) -> None:
    url, paths = asked
    for place in (url, "http://localhost:1/x.png", "https://127.0.0.1/x", "HTTP://[::1]/x", "ftp://127.0.0.1/x.png"):
        for image in (place, {"url": place}, {"path": place, "meta": META}, {"path": "", "url": place, "meta": META}):
            assert raw.ask("canny", prompt="a cat", image=image).error == NOT_YOURS
        for way in ("file", "proxy"):
            assert (
                httpx.get(f"{address}gradio_api/{way}={place}", timeout=PATIENCE).status_code == httpx.codes.NOT_FOUND
            )
    assert paths == []


def test_program_that_names_an_address_or_a_path_gets_the_sentence(address: str, tmp_path: Path) -> None:
    visitor = Visitor(address, tmp_path)
    for image in (handle_file("http://127.0.0.1:1/picture.png"), "picture.png"):
        with pytest.raises(AppError) as raised:
            visitor.ask("/canny", image=image)
        assert str(raised.value) == NOT_YOURS
    assert visitor.ask("/canny").pictures


def test_body_that_is_too_large_is_refused(address: str) -> None:
    connection = HTTPConnection(address.removeprefix("http://").strip("/"), timeout=10)
    connection.putrequest("POST", "/gradio_api/queue/join")
    connection.putheader("Content-Length", "90000000")
    connection.endheaders()
    assert connection.getresponse().status == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    connection.close()
