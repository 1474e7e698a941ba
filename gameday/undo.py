"""Undoing: what the harness notes before a fault, and puts back when the experiment's own rollbacks did not.

The first line of defence is the experiment's `rollbacks`, which Chaos Toolkit always runs. The second is here: before
the fault the replica counts of every deployment and the names of the chaos resources that will be made are written to
`undo.json` in the bundle, and afterwards, or by `gameday recover` after a crash, whatever differs is set back.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from gameday.chaosmesh import ChaosResource
from gameday.cluster import PATHS, ApiError, Cluster
from gameday.errors import BadInput

GONE_TIMEOUT_S = 15.0
"""How long a chaos resource may take to recover what it did, and be gone."""
LOOK_S = 0.1


class Replicas(BaseModel):
    """The replica count that a deployment had before the fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    context: str
    namespace: str
    deployment: str
    replicas: int


class UndoRecord(BaseModel):
    """`undo.json`. state: `armed` from before the fault on, `undone` once everything is back, else `incomplete`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: Literal["armed", "undone", "incomplete"]
    before: tuple[Replicas, ...]
    chaos: tuple[ChaosResource, ...] = ()
    remains: tuple[str, ...] = ()


class Undo:
    """The undo record of one run, kept in its bundle."""

    def __init__(self, root: Path, record: UndoRecord) -> None:
        self._path = root / "undo.json"
        self.record = record

    @classmethod
    def arm(cls, root: Path, clusters: Sequence[Cluster], chaos: tuple[ChaosResource, ...] = ()) -> Undo:
        """Note the replicas of every deployment in every cluster, but for those that an autoscaler sets.

        chaos: the resources that the experiment will make.

        Raises what `Cluster.list` raises.
        """
        before = [
            Replicas(
                context=cluster.context,
                namespace=cluster.namespace,
                deployment=item["metadata"]["name"],
                replicas=item["spec"].get("replicas", 1),
            )
            for cluster in clusters
            for autoscaled in [_autoscaled(cluster)]
            for item in cluster.list("deployments")["items"]
            if item["metadata"]["name"] not in autoscaled
        ]
        undo = cls(root, UndoRecord(state="armed", before=tuple(before), chaos=chaos))
        undo._save()
        return undo

    @classmethod
    def load(cls, root: Path) -> Undo:
        """The record in the bundle at `root`. Raises BadInput where there is none that can be read."""
        path = root / "undo.json"
        try:
            return cls(root, UndoRecord.model_validate_json(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise BadInput(
                "no undo record: no fault was injected by this run", where=str(path), do="nothing needs to be done"
            ) from None
        except (ValueError, OSError) as error:  # pydantic's and the decoder's errors are ValueErrors
            raise BadInput(
                f"cannot be read: {str(error).splitlines()[0]}", where=str(path), do="compare the replicas by hand"
            ) from None

    def restore(self, clusters: Mapping[str, Cluster]) -> tuple[str, ...]:
        """Remove every chaos resource and set back every replica count that differs; returns what could not be set
        back, a line each.

        The record stays as it is until `finish`: there may be more to wait for.
        """
        remains = [line for each in self.record.chaos if (line := _remove(each, clusters))]
        for before in self.record.before:
            where = f"deployment {before.namespace}/{before.deployment} in {before.context}"
            path = f"{PATHS['deployments'].format(namespace=before.namespace)}/{before.deployment}"
            try:
                cluster = clusters[before.context]
                if cluster.get(path)["spec"].get("replicas", 1) != before.replicas:
                    cluster.merge_patch(path, {"spec": {"replicas": before.replicas}})
            except Exception as error:  # a cluster that fails in any way must not keep the others from being restored
                remains.append(f"{where}: {before.replicas} replicas not restored: {error}")
        return tuple(remains)

    def finish(self, remains: tuple[str, ...]) -> None:
        """Write how it ended: `undone` where nothing remains, else `incomplete`. Raises OSError."""
        state: Literal["undone", "incomplete"] = "incomplete" if remains else "undone"
        self.record = self.record.model_copy(update={"state": state, "remains": remains})
        self._save()

    def _save(self) -> None:
        partial = self._path.with_suffix(".json.partial")
        partial.write_text(self.record.model_dump_json(indent=2) + "\n", encoding="utf-8")
        os.replace(partial, self._path)


def _remove(resource: ChaosResource, clusters: Mapping[str, Cluster]) -> str:
    """Delete a chaos resource and wait until it has recovered what it did; what is left where it can't, or ""."""
    try:
        cluster = clusters[resource.context]
        deadline_s = time.monotonic() + GONE_TIMEOUT_S
        cluster.delete(resource.path)
        while time.monotonic() < deadline_s:
            cluster.get(resource.path)
            time.sleep(LOOK_S)
        problem: object = f"still there after {GONE_TIMEOUT_S:g} s"
    except ApiError as error:
        if error.code == 404:
            return ""
        problem = error
    except Exception as error:  # as above: one cluster that fails must not keep the others from being restored
        problem = error
    return f"{resource} not removed: {problem}; {resource.removal}"


def _autoscaled(cluster: Cluster) -> set[str]:
    """The deployments that a HorizontalPodAutoscaler sets the replicas of; none where the cluster serves none."""
    try:
        autoscalers = cluster.list("autoscalers")["items"]
    except ApiError as error:
        if error.code in (403, 404):
            return set()
        raise
    targets = [autoscaler["spec"]["scaleTargetRef"] for autoscaler in autoscalers]
    return {str(target["name"]) for target in targets if target["kind"] == "Deployment"}
