"""Gradio's queue with a bound on what one visitor may have in it."""

from __future__ import annotations

from asyncio import Queue as AsyncQueue
from collections.abc import Iterator
from typing import Any, Literal

import fastapi
from gradio.data_classes import PredictBodyInternal
from gradio.queueing import Event, Queue
from gradio.route_utils import get_fn
from gradio.server_messages import ProcessCompletedMessage

from dmd2_demo.errors import DemoError
from dmd2_demo.page.visitors import Limits, Visitor

Outcome = Literal["success", "error", "queue_full", "validator_error"]

_MOST_UNREAD = 200  # messages that a session's client has not fetched


class VisitorsQueue(Queue):
    """A queue with the settings of `like`; who has too much in it gets a sentence instead of a place."""

    def __init__(self, like: Queue, limits: Limits) -> None:
        super().__init__(
            live_updates=like.live_updates,
            concurrency_count=like.max_thread_count,
            update_intervals=like.update_intervals,
            max_size=like.max_size,
            blocks=like.blocks,
            default_concurrency_limit=like.default_concurrency_limit,
        )
        self._limits = limits

    async def push(
        self, body: PredictBodyInternal, request: fastapi.Request, username: str | None
    ) -> tuple[bool, str | list[dict[str, Any]], Outcome]:
        """As Queue does; a refusal is the answer to the event, for clients show no reason for anything less."""
        try:
            self._limits.require_place(_visitor(request, body.session_hash), self._present())
        except DemoError as error:
            return await self._refuse(str(error), body, request, username)
        return await super().push(body, request, username)

    def _present(self) -> Iterator[Visitor]:
        """Those whose requests wait or run, each once for each."""
        waiting = (event for queue in self.event_queue_per_concurrency_id.values() for event in queue.queue)
        running = (event for events in self.active_jobs for event in events or ())
        for event in (*waiting, *running):
            # Without a session an event has its own name for one.
            yield _visitor(event.request, None if event.session_hash == event._id else event.session_hash)  # noqa: SLF001

    async def _refuse(
        self, sentence: str, body: PredictBodyInternal, request: fastapi.Request, username: str | None
    ) -> tuple[bool, str, Outcome]:
        event = Event(body.session_hash, get_fn(self.blocks, None, body), request, username)
        name, session = event._id, event.session_hash  # noqa: SLF001
        async with self.pending_message_lock:
            if session not in self.pending_messages_per_session:
                self.pending_messages_per_session[session] = AsyncQueue()
            self.pending_event_ids_session.setdefault(session, set()).add(name)
        if self.pending_messages_per_session[session].qsize() > _MOST_UNREAD:
            return False, sentence, "queue_full"
        output = {"error": sentence, "title": "Not possible", "visible": True, "duration": 10}
        self.send_message(event, ProcessCompletedMessage(output=output, title="Not possible", success=False))
        return True, name, "success"


def _visitor(request: fastapi.Request, session: str | None) -> Visitor:
    return Visitor(request.client.host if request.client else "", session or "")
