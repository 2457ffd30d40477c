"""What every HTTP request passes before Gradio sees it."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from traceback import walk_tb
from typing import Any

from gradio.route_utils import GradioMultiPartParser
from starlette._utils import get_route_path  # what the router itself goes by: without a proxy's part
from starlette.datastructures import QueryParams
from starlette.responses import PlainTextResponse

from dmd2_demo.page.full_disk import FULL_DISK, is_full
from dmd2_demo.page.routes import is_known
from dmd2_demo.page.uploads import Uploads

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_log = logging.getLogger(__name__)

_LARGEST_BODY = 80_000_000  # bytes: a picture of the largest size, as a data URL too
_MOST_PARTS = 200_000  # of what is sent, lists and objects included: each takes 70 bytes and a microsecond
_MARKS = (b",", b"[", b"{")
_LONGEST_NAME = 100  # letters of an upload's, which Gradio keeps for good; those that are made here have ten or so
_OTHER_SITES = {b"cross-site", b"same-site"}  # the second is another host or port of the same domain
_PRIVATE_NETWORKS = "127.0.0.1,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16"


class Gate:
    """An ASGI middleware that notes uploads, and refuses what is too large and what the page does not need.

    With a `login`, other sites' pages may not use this one with what a visitor's browser knows of it.
    """

    def __init__(self, app: Any, uploads: Uploads, *, login: bool = False) -> None:
        self._app, self._uploads, self._login = app, uploads, login

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = get_route_path(scope)
        if not is_known(path):
            await PlainTextResponse("There is nothing here.", HTTPStatus.NOT_FOUND)(scope, receive, send)
        elif self._login and path not in {"", "/"} and _header(scope, b"sec-fetch-site") in _OTHER_SITES:
            refusal = PlainTextResponse("This page is used from its own address alone.", HTTPStatus.FORBIDDEN)
            await refusal(scope, receive, send)
        elif any(len(name) > _LONGEST_NAME for name in _query(scope).getlist("upload_id")):
            refusal = PlainTextResponse("That is no upload of this page.", HTTPStatus.REQUEST_URI_TOO_LONG)
            await refusal(scope, receive, send)
        elif _length(scope) > _LARGEST_BODY:
            refusal = PlainTextResponse("The request is too large.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            await refusal(scope, receive, send)
        else:
            is_upload = scope["method"] == "POST" and path.rstrip("/") == "/gradio_api/upload"
            if is_upload:
                await self._upload(scope, receive, send)
            else:
                await self._app(scope, _bounded(receive), send)

    async def _upload(self, scope: Message, receive: Receive, send: Send) -> None:
        """Gradio writes what is sent before any event sees it."""
        try:
            await self._app(scope, _bounded(receive, parts=False), self._noting(send))
        except Exception as error:
            _remove_what_arrived(error)
            if not is_full(error):
                raise
            _log.exception("The disk is full.")
            await PlainTextResponse(FULL_DISK, HTTPStatus.INSUFFICIENT_STORAGE)(scope, receive, send)
        finally:
            self._uploads.sweep()

    def _noting(self, send: Send) -> Send:
        """Sends an upload's answer, a list of paths, once they are noted."""
        status, body = 0, b""

        async def noting(message: Message) -> None:
            nonlocal status, body
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                body += message.get("body", b"")
                if status == HTTPStatus.OK and not message.get("more_body"):
                    for path in json.loads(body):
                        self._uploads.uploaded(path)
            await send(message)

        return noting


def _remove_what_arrived(error: BaseException) -> None:
    """Removes the files of the upload that `error` ended: the visitor went away, or the disk is full.

    Gradio does so only where the request itself is malformed, and nobody but its parser knows the files' names.
    """
    for frame, _ in walk_tb(error.__traceback__):
        parser = frame.f_locals.get("self")
        if isinstance(parser, GradioMultiPartParser):
            for file in parser._files_to_close_on_error:  # noqa: SLF001 - see above
                with suppress(OSError):  # closing writes what is left, for which there may be no room either
                    file.close()
                Path(file.name).unlink(missing_ok=True)


def trust_proxies(addresses: str, environment: MutableMapping[str, str] = os.environ) -> None:
    """Has the server take a visitor's address from X-Forwarded-For where a proxy at one of `addresses` tells it.

    Without any, what FORWARDED_ALLOW_IPS names already; else nobody is believed, but on a Space, which is reached
    through its own network alone.
    """
    default = _PRIVATE_NETWORKS if "SPACE_ID" in environment else ""
    environment["FORWARDED_ALLOW_IPS"] = addresses or environment.get("FORWARDED_ALLOW_IPS", default)


def _length(scope: Mapping[str, Any]) -> int:
    """What the request says of its body's length, in bytes."""
    told = _header(scope, b"content-length")
    return int(told) if told.isdigit() else 0


def _query(scope: Mapping[str, Any]) -> QueryParams:
    return QueryParams(scope["query_string"])


def _header(scope: Mapping[str, Any], name: bytes) -> bytes:
    return bytes(dict(scope["headers"]).get(name, b""))


def _bounded(receive: Receive, *, parts: bool = True) -> Receive:
    """Ends a body that is longer than it may be, and did not say so, as if the client had gone.

    So it does, with `parts`, where the body is JSON of more of them than anything needs.
    """
    received = counted = 0

    async def bounded() -> Message:
        nonlocal received, counted
        message = await receive()
        body = message.get("body", b"")
        received += len(body)
        counted += sum(map(body.count, _MARKS)) if parts else 0
        return message if received <= _LARGEST_BODY and counted <= _MOST_PARTS else {"type": "http.disconnect"}

    return bounded
