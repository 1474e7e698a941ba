"""How an autoscaler stands before a drill that it must follow: what must hold, or there is nothing to be shown."""

from __future__ import annotations

import time
from collections.abc import Callable

from gameday.cluster import PATHS, ApiError, Cluster
from gameday.errors import BadInput, GuardRefused
from gameday.observe.entries import cpu_utilisation
from gameday.observe.reflector import KubeObject

FRESH_S = 60
"""An autoscaler that is new may take so long until it knows a metric: two scrapes of 15 s and two syncs of its own."""


def check_autoscaler(cluster: Cluster, deployment: str, sleep: Callable[[float], None] = time.sleep) -> None:
    """Make sure that one autoscaler scales `deployment` by its CPU, and that it knows it.

    sleep: takes seconds; an autoscaler that doesn't know its metric yet is asked once a second, up to `FRESH_S` times.
    Raises BadInput where there is none, several, or none by CPU; GuardRefused where there are no metrics.
    """
    where = f"deployment {deployment} in {cluster.context}, namespace {cluster.namespace}"
    name = _autoscaler_of(cluster, deployment, where)["metadata"]["name"]
    try:
        cluster.list("podmetrics")
    except ApiError as error:
        raise GuardRefused(
            f"there are no metrics of pods: {error}",
            where=f"context {cluster.context}",
            do="install metrics-server: without the metrics API nothing is scaled by CPU",
        ) from None
    for _ in range(FRESH_S):
        autoscaler = _autoscaler_of(cluster, deployment, where)
        if cpu_utilisation(autoscaler.get("status", {}).get("currentMetrics"), "current") is not None:
            return
        sleep(1.0)
    raise GuardRefused(
        f"autoscaler {name} does not know the CPU of its pods: {_reason(autoscaler)}",
        where=where,
        do=f"see `kubectl describe hpa {name}`; its pods must request CPU",
    )


def _autoscaler_of(cluster: Cluster, deployment: str, where: str) -> KubeObject:
    try:
        cluster.get(f"{PATHS['deployments'].format(namespace=cluster.namespace)}/{deployment}")
        everyone = cluster.list("autoscalers")["items"]
    except ApiError as error:
        raise BadInput(str(error), where=where, do="name a deployment that an autoscaler scales") from None
    found = [
        each
        for each in everyone
        if (each["spec"]["scaleTargetRef"]["kind"], each["spec"]["scaleTargetRef"]["name"])
        == ("Deployment", deployment)
    ]
    if len(found) != 1:
        names = ", ".join(each["metadata"]["name"] for each in found)
        raise BadInput(
            f"several autoscalers fight over it: {names}" if found else "no HorizontalPodAutoscaler scales it",
            where=where,
            do="leave one" if found else f"kubectl autoscale deployment {deployment} --cpu=70% --min=2 --max=10",
        )
    if cpu_utilisation(found[0]["spec"].get("metrics"), "target") is None:
        raise BadInput(
            f"autoscaler {found[0]['metadata']['name']} has no target for the utilisation of CPU",
            where=where,
            do="give it one: the drill shows nothing of other metrics",
        )
    return dict(found[0])


def _reason(autoscaler: KubeObject) -> str:
    """What its conditions complain of."""
    conditions = autoscaler.get("status", {}).get("conditions") or []
    said = [each.get("message") or each.get("reason", "") for each in conditions if each["status"] == "False"]
    return "; ".join(filter(None, said)) or "it has not said why"
