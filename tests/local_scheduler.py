"""A small scheduler of ZeroGPU's on this machine: as much of the real one as the `spaces` package asks for."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, urlsplit

from tests.local_server import LocalServer

JSON, EVENTS = "application/json", "text/event-stream"


@dataclass
class LocalScheduler(LocalServer):
    """Grants GPUs while it is entered, or does what `answer` says: "grant", "quota" (exceeded), "busy" or "queue".

    Who is queued gets a GPU once `free` is set. `asked` has every call, with its parameters.
    """

    answer: str = "grant"
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    free: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _warm: list[int] = field(default_factory=list)  # GPUs whose worker was kept
    _held: dict[str, int] = field(default_factory=dict)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        return type("Handler", (_Handler,), {"scheduler": self})

    def _let_go(self) -> None:
        self.free.set()

    def calls(self, name: str) -> list[dict[str, str]]:
        """The parameters of each call of that name."""
        return [parameters for call, parameters in self.asked if call == name]

    def _grant(self) -> str:
        with self._lock:
            idle = bool(self._warm)
            gpu = self._warm.pop() if idle else len(self._held)
            token = f"token-{len(self._held)}"
            self._held[token] = gpu
        return json.dumps({"idle": idle, "nvidiaIndex": gpu, "nvidiaUUID": f"GPU-{gpu}", "allowToken": token})

    def _release(self, parameters: dict[str, str]) -> None:
        if parameters["fail"] == "false":
            with self._lock:
                self._warm.append(self._held[parameters["allowToken"]])


class _Handler(BaseHTTPRequestHandler):
    scheduler: LocalScheduler

    def do_POST(self) -> None:
        split = urlsplit(self.path)
        call, parameters = split.path.strip("/"), dict(parse_qsl(split.query))
        self.scheduler.asked.append((call, parameters))
        if call == "schedule":
            self._schedule()
        elif call == "release":
            self.scheduler._release(parameters)
            self._send(HTTPStatus.OK)
        else:
            self._send(HTTPStatus.OK)

    def _schedule(self) -> None:
        match self.scheduler.answer:
            case "grant":
                self._send(HTTPStatus.OK, JSON, self.scheduler._grant())
            case "quota":
                self._send(HTTPStatus.TOO_MANY_REQUESTS, JSON, json.dumps({"left": 11, "wait": 3600}))
            case "busy":
                self._send(HTTPStatus.SERVICE_UNAVAILABLE)
            case "queue":
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Type", EVENTS)
                self.end_headers()
                while not self.scheduler.free.wait(0.2):
                    self._event("ping")
                self._event("succeeded", self.scheduler._grant())

    def _event(self, name: str, data: str = "") -> None:
        self.wfile.write(f"event: {name}\n{f'data: {data}' if data else ''}\n\n".encode())

    def _send(self, status: int, kind: str = JSON, body: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass
