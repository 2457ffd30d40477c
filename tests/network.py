"""A network between a browser and the page, which can be lost and come back."""

from __future__ import annotations

import socket
import socketserver
import threading
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit


class Network:
    """Hands bytes to and fro until the block ends; `address` is the page's, by this way."""

    def __init__(self, address: str) -> None:
        self._target = (urlsplit(address).hostname or "", urlsplit(address).port or 80)
        self._lost = False
        self._open = set[socket.socket]()
        network = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                if not network._lost:
                    network._carry(self.request)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.lose()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def lose(self) -> None:
        """Nothing gets through, whatever was open is cut."""
        self._lost = True
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def find(self) -> None:
        """All gets through again."""
        self._lost = False

    def _carry(self, near: socket.socket) -> None:
        with socket.create_connection(self._target) as far:
            self._open |= {near, far}
            back = threading.Thread(target=_pour, args=(far, near), daemon=True)
            back.start()
            _pour(near, far)
            back.join()
            self._open -= {near, far}


def _pour(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(65_536):
            sink.sendall(content)
    for one in (source, sink):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
