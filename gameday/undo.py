"""Undoing: what the harness notes before a fault, and puts back when the experiment's own rollbacks did not.

The first line of defence is the experiment's `rollbacks`, which Chaos Toolkit always runs. The second is here: before
the fault the replica counts of every deployment and the names of the chaos resources that will be made are written to
`undo.json` in the bundle, and afterwards, or by `gameday recover` after a crash, whatever differs is set back: but for
what an autoscaler has set meanwhile.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bundle.manifest import Effect
from gameday.chaosmesh import ChaosResource
from gameday.cluster import PATHS, ApiError, Cluster
from gameday.errors import BadInput, GuardRefused
from gameday.owned import made_uid

GONE_TIMEOUT_S = 15.0
"""How long a chaos resource may take to recover what it did, and be gone."""
LOOK_S = 0.1


class Replicas(BaseModel):
    """The replica count that a deployment had before the fault.

    autoscaled: a HorizontalPodAutoscaler sets it. scaled: the experiment is to be seen to set it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    context: str
    namespace: str
    deployment: str
    replicas: int
    autoscaled: bool = False
    scaled: bool = False

    def restored_from(self, now: int) -> bool:
        """Whether it is to be set back where it has `now` replicas.

        What an autoscaler has set since is left to it, where the experiment set nothing. But at 0 it is switched off,
        and brings back nobody.
        """
        return now != self.replicas and (not self.autoscaled or self.scaled or now == 0)

    def __str__(self) -> str:
        return f"deployment {self.namespace}/{self.deployment} in {self.context}"


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
    def arm(
        cls,
        root: Path,
        clusters: Sequence[Cluster],
        chaos: tuple[ChaosResource, ...] = (),
        effects: Sequence[Effect] = (),
    ) -> Undo:
        """Note the replicas of every deployment in every cluster, and which of them an autoscaler sets.

        chaos: the resources that the experiment will make. effects: what its actions must be seen to do.

        Raises what `autoscaled` and `Cluster.list` raise.
        """
        scaled = {(each.context, each.namespace, each.name) for each in effects if each.kind == "replicas"}
        before = [
            Replicas(
                context=cluster.context,
                namespace=cluster.namespace,
                deployment=name,
                replicas=item["spec"].get("replicas", 1),
                autoscaled=name in by_autoscaler,
                scaled=(cluster.context, cluster.namespace, name) in scaled,
            )
            for cluster in clusters
            for by_autoscaler in [autoscaled(cluster)]
            for item in cluster.list("deployments")["items"]
            for name in [item["metadata"]["name"]]
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
        """Remove every chaos resource that the run made, set back every replica count that the fault may have changed.

        Returns what could not be set back, a line each.

        The record stays as it is until `finish`: there may be more to wait for.
        """
        remains = [line for each in self.record.chaos if (line := self._remove(each, clusters))]
        for before in self.record.before:
            path = f"{PATHS['deployments'].format(namespace=before.namespace)}/{before.deployment}"
            try:
                cluster = clusters[before.context]
                if before.restored_from(cluster.get(path)["spec"].get("replicas", 1)):
                    cluster.merge_patch(path, {"spec": {"replicas": before.replicas}})
            except Exception as error:  # a cluster that fails in any way must not keep the others from being restored
                remains.append(f"{before}: {before.replicas} replicas not restored: {error}")
        return tuple(remains)

    def _remove(self, resource: ChaosResource, clusters: Mapping[str, Cluster]) -> str:
        """Delete a chaos resource and wait until it has recovered what it did; what is left where it can't, or "".

        Somebody else's of that name stays.
        """
        try:
            cluster, mine = clusters[resource.context], made_uid(self._path.parent, resource)
            there = cluster.get(resource.path)["metadata"]["uid"]
            if mine is None:
                return f"{resource} is there, and nobody knows whether this run made it; if it did: {resource.removal}"
            if there == mine:
                cluster.delete(resource.path, uid=mine)
            deadline_s = time.monotonic() + GONE_TIMEOUT_S
            while there == mine and time.monotonic() < deadline_s:
                time.sleep(LOOK_S)
                there = cluster.get(resource.path)["metadata"]["uid"]
            if there != mine:
                return ""
            problem: object = f"still there after {GONE_TIMEOUT_S:g} s"
        except ApiError as error:
            if error.code == 404:
                return ""
            problem = error
        except Exception as error:  # as above: one cluster that fails must not keep the others from being restored
            problem = error
        return f"{resource} not removed: {problem}; {resource.removal}"

    def finish(self, remains: tuple[str, ...]) -> None:
        """Write how it ended: `undone` where nothing remains, else `incomplete`. Raises OSError."""
        state: Literal["undone", "incomplete"] = "incomplete" if remains else "undone"
        self.record = self.record.model_copy(update={"state": state, "remains": remains})
        self._save()

    def _save(self) -> None:
        partial = self._path.with_suffix(".json.partial")
        partial.write_text(self.record.model_dump_json(indent=2) + "\n", encoding="utf-8")
        os.replace(partial, self._path)


def autoscaled(cluster: Cluster) -> frozenset[str]:
    """The deployments that a HorizontalPodAutoscaler sets the replicas of; none where the cluster serves none.

    Raises GuardRefused where the API server refuses to list them, or urllib3's HTTPError.
    """
    try:
        autoscalers = cluster.list("autoscalers")["items"]
    except ApiError as error:
        if error.code == 404:
            return frozenset()
        raise GuardRefused(
            f"it can't be told which replicas are an autoscaler's to set: {error}",
            where=f"context {cluster.context}, namespace {cluster.namespace}",
            do="see to it that you may list horizontalpodautoscalers there",
        ) from None
    targets = [autoscaler["spec"]["scaleTargetRef"] for autoscaler in autoscalers]
    return frozenset(str(target["name"]) for target in targets if target["kind"] == "Deployment")
