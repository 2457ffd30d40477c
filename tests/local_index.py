"""A small package index on this machine: wheels of a name and a version, and a note of each that is fetched."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from urllib.parse import quote, unquote

from tests.local_server import LocalServer


@dataclass(frozen=True)
class Package:
    """One release: its version, what it requires, and whether fetching it never ends."""

    version: str = "1.0"
    requires: Sequence[str] = ()
    stuck: bool = False

    def metadata(self, name: str) -> bytes:
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {self.version}"]
        return "\n".join([*lines, *(f"Requires-Dist: {one}" for one in self.requires), ""]).encode()

    def wheel(self, name: str) -> bytes:
        """The bytes of a wheel with one module, which is called as the package and knows its `version`."""
        info = f"{name}-{self.version}.dist-info"
        files = {
            f"{name}.py": f"version = {self.version!r}\n".encode(),
            f"{info}/METADATA": self.metadata(name),
            f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        files[f"{info}/RECORD"] = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"]).encode()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for file, content in files.items():
                archive.writestr(file, content)
        return packed.getvalue()


@dataclass
class LocalIndex(LocalServer):
    """Serves `packages` as PyPI's simple interface while it is entered. Change them freely."""

    packages: Mapping[str, Sequence[Package]]
    asked: list[str] = field(default_factory=list)  # every path, in order
    stuck: threading.Event = field(default_factory=threading.Event)  # set once a stuck wheel is asked for
    _done: threading.Event = field(default_factory=threading.Event)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index.asked.append(self.path)
                content = index._answer(unquote(self.path).strip("/").split("/"))
                self.send_response(HTTPStatus.OK if content is not None else HTTPStatus.NOT_FOUND)
                self.send_header("Content-Type", "text/html" if self.path.endswith("/") else "application/octet-stream")
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def _let_go(self) -> None:
        self._done.set()

    @property
    def url(self) -> str:
        return f"{super().url}/simple"

    @property
    def fetched(self) -> list[str]:
        """The names of the wheels that were fetched so far, in order of the alphabet."""
        return sorted(path.rpartition("/")[2].partition("-")[0] for path in self.asked if path.endswith(".whl"))

    def _answer(self, path: Sequence[str]) -> bytes | None:
        """What lies at /simple/NAME/ or /simple/NAME/FILE; None where nothing does."""
        match path:
            case ["simple", name] if name in self.packages:
                files = (f"{name}-{one.version}-py3-none-any.whl" for one in self.packages[name])
                return "".join(
                    f'<a href="{quote(one)}" data-core-metadata="true">{one}</a>\n' for one in files
                ).encode()
            case ["simple", name, file]:
                package = next(one for one in self.packages[name] if one.version == file.split("-")[1])
                if file.endswith(".metadata"):
                    return package.metadata(name)
                if package.stuck:
                    self.stuck.set()
                    self._done.wait()
                return package.wheel(name)
        return None
