"""A small hub on this machine: as much of the real one's API as its client asks for, with faults on demand.

Repositories are folders. Large files are redirected to another host name, as the real hub does: the client must not
send its token there.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.local_server import LocalServer

_LARGE = {".safetensors", ".bin", ".pt"}
TOKEN = "hf_" + "a" * 34


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one file. Only what is set happens."""

    status: int | None = None
    code: str | None = None  # the hub's X-Error-Code
    cut_after: int | None = None  # bytes of the answer, then the connection ends
    reset: bool = False  # ends it with a reset
    damage: bool = False  # the right number of wrong bytes
    shorten: int = 0  # bytes missing at the end, and the length says so
    only: str | None = None  # HEAD or GET


@dataclass(frozen=True)
class Asked:
    """One request that came in."""

    method: str
    repo: str
    name: str
    start: int  # of the range asked for
    token: bool
    large: bool  # it came in at the other host name
    end: int | None = None  # of the range, where one is asked for


@dataclass
class LocalHub(LocalServer):
    """Serves `repos`, folders by repository id, while it is entered; `url` is the value for HF_ENDPOINT.

    Add to `private` and `gated` freely.
    """

    repos: Mapping[str, Path]
    private: set[str] = field(default_factory=set)
    gated: set[str] = field(default_factory=set)
    asked: list[Asked] = field(default_factory=list)
    in_xet: dict[str, str] = field(default_factory=dict)  # the Xet hashes of files by name, whose bytes are in `xet`
    xet: str = ""  # the storage's address: "local://" and a folder will do for its client
    hold: threading.Event | None = None  # answers with large files wait for it
    refuses_tokens: bool = False  # every token is stale, also for what anyone may read
    renamed: dict[str, str] = field(default_factory=dict)  # other names of repositories, in small letters
    _faults: dict[tuple[str, str], list[Fault]] = field(default_factory=lambda: defaultdict(list))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        return type("Handler", (_Handler,), {"hub": self})

    def fail(self, repo: str, name: str, fault: Fault, times: int = 1) -> None:
        """The next `times` requests for the file meet the fault."""
        self._faults[repo, name] += [fault] * times

    def fault(self, method: str, repo: str, name: str) -> Fault:
        """The fault that this request meets."""
        waiting = self._faults[repo, name]
        for i, fault in enumerate(waiting):
            if fault.only in {None, method}:
                return waiting.pop(i)
        return Fault()

    def downloads(self, name: str) -> list[Asked]:
        """The requests that were answered with bytes of the file."""
        return [asked for asked in self.asked if asked.method == "GET" and asked.name == name and asked.start >= 0]

    def commit(self, repo: str) -> str:
        return hashlib.sha1(repo.encode()).hexdigest()  # noqa: S324 - only a name


class _Handler(BaseHTTPRequestHandler):
    hub: LocalHub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nobody reads it."""

    def _answer(self) -> None:
        words = [unquote(word) for word in urlsplit(self.path).path.strip("/").split("/")]
        if self.hub.refuses_tokens and "authorization" in self.headers:
            self._refuse(HTTPStatus.UNAUTHORIZED)
        elif words[:2] == ["api", "models"]:
            asked = "/".join(words[2:4])
            self._model(self.hub.renamed.get(asked.lower(), asked))
        elif words == ["xet-token"]:
            self.hub.asked.append(Asked(self.command, "", "xet-token", 0, "authorization" in self.headers, large=False))
            expiry = str(int(time.time()) + 3600)
            token = {"X-Xet-Cas-Url": self.hub.xet, "X-Xet-Access-Token": "t", "X-Xet-Token-Expiration": expiry}
            self._send(HTTPStatus.OK, token | {"Content-Length": "0"})
        elif len(words) > 4 and words[2] in {"resolve", "cdn"}:
            self._file("/".join(words[:2]), words[3], "/".join(words[4:]), large=words[2] == "cdn")
        else:
            self._refuse(HTTPStatus.NOT_FOUND)

    def _model(self, repo: str) -> None:
        if not self._may_read(repo):
            return
        names = sorted(str(path.relative_to(self.hub.repos[repo])) for path in self.hub.repos[repo].rglob("*.*"))
        body = json.dumps(
            {"id": repo, "sha": self.hub.commit(repo), "siblings": [{"rfilename": name} for name in names]}
        ).encode()
        self._send(HTTPStatus.OK, {"Content-Type": "application/json", "Content-Length": str(len(body))}, body)

    def _may_read(self, repo: str) -> bool:
        """Answers in the hub's way where not: without a token, a missing repository looks as a private one."""
        token = self.headers.get("authorization") == f"Bearer {TOKEN}"
        if repo in self.hub.gated and not token:
            self._refuse(HTTPStatus.UNAUTHORIZED, "GatedRepo")
        elif repo not in self.hub.repos or (repo in self.hub.private and not token):
            self._refuse(HTTPStatus.NOT_FOUND if token else HTTPStatus.UNAUTHORIZED, "RepoNotFound")
        else:
            return True
        return False

    def _file(self, repo: str, revision: str, name: str, *, large: bool) -> None:
        first, _, last = self.headers.get("range", "bytes=0-").removeprefix("bytes=").partition("-")
        start, end = int(first), int(last) if last else None
        token = "authorization" in self.headers
        redirected = not large and Path(name).suffix in _LARGE
        self.hub.asked.append(Asked(self.command, repo, name, -1 if redirected else start, token, large, end))
        fault = self.hub.fault(self.command, repo, name) if not redirected or self.command == "HEAD" else Fault()
        if fault.status:
            self._refuse(fault.status, fault.code)
        elif large or self._may_read(repo):
            path = self.hub.repos[repo] / name
            commit = {"X-Repo-Commit": self.hub.commit(repo)}
            if revision not in {"main", self.hub.commit(repo)}:
                self._refuse(HTTPStatus.NOT_FOUND, "RevisionNotFound")
            elif not path.is_file():
                self._refuse(HTTPStatus.NOT_FOUND, "EntryNotFound", commit)
            elif redirected:
                content = path.read_bytes()
                linked = {"X-Linked-Size": str(len(content)), "X-Linked-Etag": f'"{_etag(name, content)}"'}
                if name in self.hub.in_xet:
                    route = f"{self.hub.url}/xet-token"
                    linked |= {"X-Xet-Hash": self.hub.in_xet[name], "X-Xet-Refresh-Route": route}
                place = {"Location": f"http://localhost:{self.hub.port}/{repo}/cdn/{revision}/{name}"}
                self._send(HTTPStatus.FOUND, commit | linked | place | {"Content-Length": "0"})
            else:
                self._content(path.read_bytes(), name, commit, (start, None if end is None else end + 1), fault)

    def _content(
        self, content: bytes, name: str, headers: dict[str, str], part: tuple[int, int | None], fault: Fault
    ) -> None:
        start, stop = part
        if self.hub.hold and Path(name).suffix in _LARGE:
            self.hub.hold.wait(120)
        headers = headers | {"ETag": f'"{_etag(name, content)}"', "Accept-Ranges": "bytes"}
        if fault.damage:
            content = bytes(byte ^ 0xFF for byte in content)
        content = content[: len(content) - fault.shorten]
        if start and start >= len(content):
            self._refuse(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            return
        status = HTTPStatus.OK
        if "range" in self.headers:
            status = HTTPStatus.PARTIAL_CONTENT
            headers["Content-Range"] = f"bytes {start}-{len(content[:stop]) - 1}/{len(content)}"
        body = content[start:stop]
        headers["Content-Length"] = str(len(body))
        self._send(status, headers, body if fault.cut_after is None else body[: fault.cut_after])
        if fault.cut_after is not None:
            self._cut(reset=fault.reset)

    def _cut(self, *, reset: bool) -> None:
        self.close_connection = True
        if reset:
            self.connection.setsockopt(1, 13, b"\x01\0\0\0\0\0\0\0")  # SO_LINGER, 0 seconds
        self.wfile.flush()
        self.connection.close()

    def _refuse(self, status: int, code: str | None = None, headers: Mapping[str, str] = {}) -> None:
        self._send(status, {"Content-Length": "0"} | ({"X-Error-Code": code} if code else {}) | dict(headers))

    def _send(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


def _etag(name: str, content: bytes) -> str:
    if Path(name).suffix in _LARGE:
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()  # noqa: S324 - git's name for it
