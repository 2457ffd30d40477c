"""`routing` as Ray Serve's request router: it lives beside the handle, in the page's link."""

from __future__ import annotations

import time
from collections import Counter

from ray.serve._private.common import ReplicaID
from ray.serve._private.replica_result import ReplicaResult
from ray.serve.request_router import PendingRequest, RequestRouter, RunningReplica

from dmd2_demo.cluster import routing
from dmd2_demo.cluster.words import Ask

STATS_PERIOD = 2.0
"""Seconds between two words of a replica about what it has loaded."""

_NEVER = 0.0, frozenset[str]()
_TRUSTED = 3 * STATS_PERIOD  # for so long a replica is taken to have what it was last asked for


class PartsRouter(RequestRouter):  # type: ignore[misc] # Ray tells mypy nothing
    """Sends each picture where `routing` ranks first; one that no replica is worth yet waits."""

    def initialize_state(self, **_: object) -> None:
        """As Serve asks for, in place of a constructor."""
        self._running: dict[str, ReplicaID] = {}  # by request
        self._waiting: dict[str, tuple[PendingRequest, ReplicaID]] = {}  # by request, with the replica it waits for
        self._sent: dict[ReplicaID, tuple[float, frozenset[str]]] = {}  # when, and parts that it was asked for

    async def choose_replicas(
        self, candidate_replicas: list[RunningReplica], pending_request: PendingRequest | None = None
    ) -> list[list[RunningReplica]]:
        """One replica a rank."""
        if pending_request is None or not isinstance(pending_request.args[0], Ask):
            return [candidate_replicas]
        pending_request.routing_context.should_backoff = True
        mine = pending_request.metadata.internal_request_id
        self._waiting = {id_: kept for id_, kept in self._waiting.items() if id_ != mine and not kept[0].future.done()}
        waiting = Counter(self._running.values()) + Counter(replica for _, replica in self._waiting.values())
        replicas = {replica.replica_id: replica for replica in candidate_replicas}
        loads = {
            id_.unique_id: routing.Load(waiting[id_], self._resident(replica), self._sent.get(id_, _NEVER)[0])
            for id_, replica in replicas.items()
        }
        by_name = {id_.unique_id: replica for id_, replica in replicas.items()}
        chosen = [
            by_name[name]
            for name in routing.ranked(routing.sizes(pending_request.args[0].request.spec().parts()), loads)
        ]
        if chosen:
            self._waiting[mine] = pending_request, chosen[0].replica_id
        return [[replica] for replica in chosen]

    def on_request_routed(
        self,
        pending_request: PendingRequest,
        replica_id: ReplicaID,
        result: ReplicaResult,  # noqa: ARG002 - Serve's signature
    ) -> None:
        """It was accepted there."""
        request_id = pending_request.metadata.internal_request_id
        self._waiting.pop(request_id, None)
        self._running[request_id] = replica_id
        if isinstance(pending_request.args[0], Ask):
            wanted = frozenset(routing.sizes(pending_request.args[0].request.spec().parts()))
            self._sent[replica_id] = time.monotonic(), wanted

    def on_request_completed(self, replica_id: ReplicaID, internal_request_id: str) -> None:
        """It ended there, however; it may be tried elsewhere under the same name."""
        if self._running.get(internal_request_id) == replica_id:
            del self._running[internal_request_id]

    def _resident(self, replica: RunningReplica) -> frozenset[str]:
        """What it told, and what it was asked for since."""
        told = frozenset(replica.routing_stats.get("resident", ()))
        sent, wanted = self._sent.get(replica.replica_id, _NEVER)
        return told | wanted if time.monotonic() - sent < _TRUSTED else told
