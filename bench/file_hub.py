"""A hub with one large file, sent as fast as this machine can: `python -m bench.file_hub FILE` prints where it is."""

from __future__ import annotations

import hashlib
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REPO, COMMIT = "owner/model", "a" * 40


def server(path: Path) -> ThreadingHTTPServer:
    """Serves the file under its own name in any repository; its SHA-256 is its name there, as on the real hub."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._head()

        def do_GET(self) -> None:
            if self._head():
                with path.open("rb") as file:
                    self.wfile.flush()
                    self.connection.sendfile(file)

        def _head(self) -> bool:
            there = self.path.endswith(f"/{path.name}")
            self.send_response(HTTPStatus.OK if there else HTTPStatus.NOT_FOUND)
            self.send_header("Content-Length", str(path.stat().st_size if there else 0))
            self.send_header("ETag", f'"{digest}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            return there

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Nobody reads it."""

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


if __name__ == "__main__":
    hub = server(Path(sys.argv[1]))
    print(f"http://127.0.0.1:{hub.server_port}", flush=True)
    hub.serve_forever()
