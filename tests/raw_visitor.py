"""A program that sends the page's events whatever it likes, past Gradio's clients, which would check it."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

PATIENCE = 120  # seconds


@dataclass(frozen=True)
class Reply:
    """What an event's sender got: `data`, one value an output, or `error`, the sentence in its place."""

    data: list[Any] | None
    error: str | None = None


class RawVisitor:
    """One session at the page."""

    def __init__(self, address: str) -> None:
        self._http = httpx.Client(base_url=address, timeout=PATIENCE)
        self._session = uuid.uuid4().hex
        self.config: dict[str, Any] = self._http.get("config").json()
        self._endpoints = self._http.get("gradio_api/info").json()["named_endpoints"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    @property
    def events(self) -> list[dict[str, Any]]:
        """Those that the server answers; the others stay in the browser."""
        return [event for event in self.config["dependencies"] if event["backend_fn"]]

    def event(self, api_name: str) -> dict[str, Any]:
        """The one of that name; those that are no endpoint are named after their functions."""
        return next(event for event in self.events if event["api_name"] == api_name)

    def upload(self, path: Path) -> dict[str, Any]:
        """A file as events take it."""
        with path.open("rb") as file:
            (kept,) = self._http.post("gradio_api/upload", files={"files": (path.name, file)}).json()
        return {"path": kept, "meta": {"_type": "gradio.FileData"}}

    def ask(self, endpoint: str, **values: Any) -> Reply:
        """The reply to an endpoint's parameters by name; its defaults for the rest."""
        return self.send(self.event(endpoint), self.data(endpoint, **values))

    def data(self, endpoint: str, **values: Any) -> list[Any]:
        """An endpoint's parameters in their order."""
        parameters = self._endpoints[f"/{endpoint}"]["parameters"]
        return [values.get(one["parameter_name"], one.get("parameter_default")) for one in parameters]

    def send(self, event: dict[str, Any], data: list[Any], **more: Any) -> Reply:
        """The reply to `data` at that event, by the way that the page itself would take. `more` goes along."""
        # Not httpx's own: half an emoji is legal in JSON, and only escapes can hold it.
        body = json.dumps({"data": data, "fn_index": event["id"], "session_hash": self._session, **more})
        headers = {"Content-Type": "application/json"}
        if not event["queue"]:
            return _reply(self._http.post("gradio_api/run/predict", content=body, headers=headers))
        joined = self._http.post("gradio_api/queue/join", content=body, headers=headers)
        return self._wait(joined.json()["event_id"]) if joined.is_success else _reply(joined)

    def _wait(self, event_id: str) -> Reply:
        """The last message about that event."""
        with self._http.stream("GET", "gradio_api/queue/data", params={"session_hash": self._session}) as lines:
            for line in lines.iter_lines():
                message = json.loads(line.removeprefix("data: ")) if line else {}
                if message.get("event_id") == event_id and message["msg"] == "process_completed":
                    output = message["output"]
                    return Reply(output["data"]) if message["success"] else Reply(None, output["error"])
        raise AssertionError("the page ended the stream without an answer")


def _reply(answer: httpx.Response) -> Reply:
    output = answer.json()
    return Reply(output["data"]) if answer.is_success else Reply(None, output.get("error", output.get("detail")))
