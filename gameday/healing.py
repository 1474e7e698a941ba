"""Has the fault been undone? What is still owed after a drill ended, asked of the cluster and of the timeline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from bundle.timeline import read_timeline
from gameday.cluster import Cluster
from gameday.deployment import state_of

LOOK_EVERY_S = 0.5
CALM_LOOKS = 4
"""So many looks in a row must find everything settled: a status shows the loss of a pod only after a moment."""


def rollbacks_owed(root: Path, declared: Sequence[str]) -> tuple[str, ...]:
    """The experiment's rollbacks that are not known to have succeeded although a fault was injected.

    root: the bundle. declared: the names of the experiment's rollbacks.
    """
    timeline = read_timeline(root / "timeline.jsonl")[0]
    if not declared or not any(e.kind == "fault" and e.event == "injecting" for e in timeline):
        return ()
    ends = [e for e in timeline if e.kind == "rollback" and e.event == "end"]
    if not ends:
        return tuple(f"the experiment's rollback {name} did not run" for name in declared)
    failed = ends[-1].attributes.get("failed")
    names = failed if isinstance(failed, list) else []
    return tuple(f"the experiment's rollback {name} did not succeed" for name in names)


def not_whole(clusters: Sequence[Cluster], timeout_s: float, wait: Callable[[float], bool]) -> tuple[str, ...]:
    """Wait until every deployment of every cluster has settled; returns what had not within `timeout_s`, a line each.

    Asks the API itself: what the watch has delivered may be older than the fault. wait: sleeps so many seconds, and is
    True where nobody wants to wait any longer.
    """
    calm = 0
    lines: list[str] = []
    for _ in range(max(1, round(timeout_s / LOOK_EVERY_S))):
        lines = [line for cluster in clusters for line in _unsettled(cluster)]
        calm = 0 if lines else calm + 1
        if calm >= CALM_LOOKS or wait(LOOK_EVERY_S):
            break
    return tuple(lines)


def _unsettled(cluster: Cluster) -> list[str]:
    try:
        states = [state_of(item) for item in cluster.list("deployments")["items"]]
    except Exception as error:  # whatever keeps us from seeing it: it can't be called whole
        return [f"context {cluster.context} cannot be seen: {error}"]
    return [
        f"deployment {state.name} in {cluster.context}: {state.ready} of {state.desired} replicas ready"
        for state in states
        if not state.settled
    ]
