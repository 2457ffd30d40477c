"""Gradio's queue with a bound on what one visitor may have in it."""

from __future__ import annotations

from asyncio import Queue as AsyncQueue
from asyncio import TimerHandle, get_running_loop
from collections.abc import Callable, Iterator
from typing import Any, Literal

import fastapi
from gradio.data_classes import PredictBodyInternal
from gradio.queueing import Event, Queue
from gradio.route_utils import get_fn
from gradio.server_messages import EventMessage, ProcessCompletedMessage

from dmd2_demo.errors import DemoError
from dmd2_demo.page.visitors import Limits, Visitor

Outcome = Literal["success", "error", "queue_full", "validator_error"]

GRACE = 60.0
"""Seconds that a visitor whose connection is lost has to come back, before what they have running is stopped."""

_MOST_UNREAD, _MOST_UNREAD_OF_ALL = 200, 2000  # messages that a session's client has not fetched
_MOST_REMEMBERED = 500  # events that are over, and sessions with none


class VisitorsQueue(Queue):
    """A queue with the settings of `like`; who has too much in it gets a sentence instead of a place.

    What a session has in it stays for `grace` seconds once its connection is lost, and longer while it `is_awaited`:
    phones that lock come back. Then it is taken out, and `gone` is told.
    """

    def __init__(
        self,
        like: Queue,
        limits: Limits,
        is_awaited: Callable[[str], bool],
        gone: Callable[[str], None],
        grace: float = GRACE,
    ) -> None:
        super().__init__(
            live_updates=like.live_updates,
            concurrency_count=like.max_thread_count,
            update_intervals=like.update_intervals,
            max_size=like.max_size,
            blocks=like.blocks,
            default_concurrency_limit=like.default_concurrency_limit,
        )
        self.ANALYTICS_MAX_EVENTS = _MOST_REMEMBERED  # of a table that nobody looks at
        self._limits, self._is_awaited, self._gone, self._grace = limits, is_awaited, gone, grace
        self._leaving: dict[str, TimerHandle] = {}

    async def push(
        self, body: PredictBodyInternal, request: fastapi.Request, username: str | None
    ) -> tuple[bool, str | list[dict[str, Any]], Outcome]:
        """As Queue does; a refusal is the answer to the event, for clients show no reason for anything less."""
        self._back(body.session_hash)
        self._forget_idle()
        self._forget_unread()
        try:
            self._require_read(body.session_hash)
            self._limits.require_place(Visitor.of(request.client, body.session_hash, None), self._present())
        except DemoError as error:
            return await self._refuse(str(error), body, request, username)
        return await super().push(body, request, username)

    def _forget_idle(self) -> None:
        """Drops sessions with nothing in it, of which Gradio keeps the names."""
        pending = self.pending_event_ids_session
        if len(pending) > _MOST_REMEMBERED:
            for session in [session for session, events in pending.items() if not events]:
                del pending[session]

    def _unread(self, session: str | None) -> int:
        messages = self.pending_messages_per_session.get(session or "")
        return messages.qsize() if messages else 0

    def _require_read(self, session: str | None) -> None:
        if self._unread(session) > _MOST_UNREAD:
            raise DemoError("Nobody reads what this page answers to your requests, so it takes no more of them.")

    def _forget_unread(self) -> None:
        """Drops what clients left unread, where it is much: of sessions with nothing in the queue, oldest first."""
        unread = sum(map(self._unread, self.pending_messages_per_session))
        if unread <= _MOST_UNREAD_OF_ALL:
            return
        busy = {event.session_hash for event in self._events()}
        for session in [session for session in self.pending_messages_per_session if session not in busy]:
            unread -= self._unread(session)
            del self.pending_messages_per_session[session]
            self.pending_event_ids_session.pop(session, None)
            if unread <= _MOST_UNREAD_OF_ALL:
                return

    def send_message(self, event: Event, event_message: EventMessage) -> None:
        """As Queue does; a session whose connection is lost hears nothing."""
        if event.session_hash in self.pending_messages_per_session:
            super().send_message(event, event_message)

    async def clean_events(self, *, session_hash: str | None = None, event_id: str | None = None) -> None:
        """As Queue does, of a session that lost its connection, which alone it is called for; but later."""
        del event_id
        if session_hash:
            self.pending_messages_per_session.pop(session_hash, None)
            self._leave(session_hash)

    def _leave(self, session: str) -> None:
        self._back(session)
        self._leaving[session] = get_running_loop().call_later(self._grace, self._left, session)

    def _left(self, session: str) -> None:
        if self._is_awaited(session):
            self._leave(session)
            return
        del self._leaving[session]
        self._gone(session)
        cleaning = get_running_loop().create_task(super().clean_events(session_hash=session))
        cleaning.add_done_callback(lambda _: self.pending_event_ids_session.pop(session, None))

    def _back(self, session: str | None) -> None:
        leaving = self._leaving.pop(session or "", None)
        if leaving:
            leaving.cancel()

    def _present(self) -> Iterator[Visitor]:
        """Those whose requests wait or run, each once for each."""
        for event in self._events():
            yield Visitor.of(event.request.client, event.session_hash, event._id)  # noqa: SLF001

    def _events(self) -> Iterator[Event]:
        """Those that wait or run."""
        for queue in self.event_queue_per_concurrency_id.values():
            yield from queue.queue
        for events in self.active_jobs:
            yield from events or ()

    async def _refuse(
        self, sentence: str, body: PredictBodyInternal, request: fastapi.Request, username: str | None
    ) -> tuple[bool, str, Outcome]:
        event = Event(body.session_hash, get_fn(self.blocks, None, body), request, username)
        name, session = event._id, event.session_hash  # noqa: SLF001
        async with self.pending_message_lock:
            if session not in self.pending_messages_per_session:
                self.pending_messages_per_session[session] = AsyncQueue()
            self.pending_event_ids_session.setdefault(session, set()).add(name)
        if self._unread(session) > _MOST_UNREAD:
            return False, sentence, "queue_full"
        output = {"error": sentence, "title": "Not possible", "visible": True, "duration": 10}
        self.send_message(event, ProcessCompletedMessage(output=output, title="Not possible", success=False))
        return True, name, "success"
