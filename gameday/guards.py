"""What must hold before a fault may be injected at all. A guard refuses with exit code 4, and nothing is started."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from gameday.chaosmesh import GROUP, ChaosResource
from gameday.cluster import ApiError, Cluster
from gameday.errors import BadInput, GuardRefused
from gameday.undo import Undo


def refuse_over_unfinished_undo(runs: Path) -> None:
    """Raise GuardRefused where an earlier run under `runs` left something that has not been put back.

    A second fault on top of it would note the broken state as the one to restore.
    """
    for path in sorted(runs.glob("*/undo.json")):
        if path.parent.is_symlink():
            continue
        try:
            state = Undo.load(path.parent).record.state
        except BadInput as error:
            raise GuardRefused(
                error.what, where=str(path), do="compare the replicas by hand, then remove the file"
            ) from None
        if state != "undone":
            raise GuardRefused(
                f"an earlier run has not been undone ({state})",
                where=str(path.parent),
                do=f"run `gameday recover {path.parent}`",
            )


def check_chaos_mesh(resources: Iterable[ChaosResource], clusters: Mapping[str, Cluster]) -> None:
    """Raise GuardRefused where Chaos Mesh isn't there to make these, or one of that name is there already.

    The second would be taken for ours: nothing would be injected anew, and it would be removed at the end.
    """
    for resource in resources:
        cluster = clusters[resource.context]
        where = f"context {resource.context}, namespace {resource.namespace}"
        if (refusal := _refusal(cluster, resource.collection)) is not None:
            raise GuardRefused(
                f"Chaos Mesh's {resource.resource}.{GROUP} cannot be used: {refusal}",
                where=where,
                do="install Chaos Mesh there and see to it that you may use it, or name another context",
            )
        if _refusal(cluster, resource.path) is None:
            raise GuardRefused(
                f"there is a {resource.resource} {resource.name} already",
                where=where,
                do=f"remove it: {resource.removal}",
            )


def _refusal(cluster: Cluster, path: str) -> ApiError | None:
    """With what a path is refused; None where it is answered."""
    try:
        cluster.get(path, query={"limit": "1"})
    except ApiError as error:
        return error
    return None
