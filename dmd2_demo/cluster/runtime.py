"""What the page needs where replicas on a cluster make its pictures."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Thread
from typing import Any

from dmd2_demo.cluster.studio import ClusterStudio
from dmd2_demo.generate import edges


@dataclass(frozen=True)
class ClusterRuntime:
    """The same as generate's Runtime, without what is elsewhere: its parts, and what they take of a machine."""

    studio: ClusterStudio
    cost = None
    unload = None

    def status(self) -> dict[str, Any]:
        """What is loaded in the cluster, in JSON's types."""
        return self.studio.status()

    def warm_up(self) -> None:
        """Starts importing what finds edges, which is done beside the page."""
        Thread(target=edges.detector, name="imports", daemon=True).start()
