"""Chaos Toolkit actions that break nothing: they bring about what a drill begins with, and put back what it changed.

They run inside `chaos`, and work in any experiment. The control takes none of them for a fault.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Any

import requests
from chaosk8s import create_k8s_api_client
from chaosk8s.deployment.actions import scale_deployment
from chaoslib.exceptions import ActivityFailed
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from gameday import peak
from gameday.chaosmesh import GROUP, VERSION
from gameday.control import BUNDLE_VARIABLE
from gameday.probes import leading_region
from gameday.undo import Undo

logger = logging.getLogger("chaostoolkit")

ASK_AGAIN_S = 2.0
LOOK_S = 0.1
ANSWER_TIMEOUT_S = 10.0


def lead_from(
    region: str, entry: str, health: str = "/health", leader: str = "/api/v1/leader", timeout: int = 30
) -> str:
    """See to it that the leader is in `region`, asking it to hand over where it isn't; returns the region.

    entry: the URL at which any region answers. health: the path that tells `raft_status.leader`, a region. leader: the
    path at which a POST of {"region": ...} asks for it. Raises ActivityFailed after `timeout` seconds; in a drill that
    ends the experiment, before anything is broken.
    """
    deadline_s, ask_s = time.monotonic() + timeout, 0.0
    while leading_region(entry, health) != region:
        now_s = time.monotonic()
        if now_s > deadline_s:
            raise ActivityFailed(f"the leader did not come to {region} within {timeout} s")
        if now_s >= ask_s:
            ask_s = now_s + ASK_AGAIN_S
            try:
                answer = requests.post(entry + leader, json={"region": region}, timeout=ANSWER_TIMEOUT_S)
                logger.info("asked for a leader in %s: HTTP %s", region, answer.status_code)
            except requests.RequestException as error:
                logger.warning("asking for a leader in %s: %s", region, error)
        time.sleep(LOOK_S)
    return region


def scale_back(name: str, ns: str = "default", otherwise: int = 1, secrets: dict[str, Any] | None = None) -> int:
    """Give a deployment the replicas that it had before the drill, and return how many.

    How many is in the bundle's undo record; `otherwise` where no bundle is recorded. Raises ActivityFailed where the
    API server refuses.
    """
    context = (secrets or {}).get("KUBERNETES_CONTEXT") or os.environ.get("KUBERNETES_CONTEXT", "")
    bundle = os.environ.get(BUNDLE_VARIABLE)
    before = Undo.load(Path(bundle)).record.before if bundle else ()
    known = [b.replicas for b in before if (b.context, b.namespace, b.deployment) == (context, ns, name)]
    replicas = known[0] if known else otherwise
    try:
        scale_deployment(name=name, replicas=replicas, ns=ns, secrets=secrets)
    except ActivityFailed:
        logger.error("%s in %s could not be given its %d replicas again", name, context, replicas)
        raise
    return replicas


def remove_chaos(
    plural: str, name: str, ns: str = "default", timeout: int = 30, secrets: dict[str, Any] | None = None
) -> bool:
    """Delete a resource of Chaos Mesh and wait until it has recovered what it did and is gone; whether there was one.

    Chaos Mesh keeps one that has expired. Raises ActivityFailed after `timeout` seconds, and where the API server
    refuses.
    """
    api: Any = client.CustomObjectsApi(create_k8s_api_client(secrets))
    deadline_s, there = time.monotonic() + timeout, False
    try:
        api.delete_namespaced_custom_object(GROUP, VERSION, ns, plural, name)
        there = True
        while time.monotonic() < deadline_s:
            api.get_namespaced_custom_object(GROUP, VERSION, ns, plural, name)
            time.sleep(LOOK_S)
    except ApiException as error:
        if error.status == 404:
            return there
        raise ActivityFailed(f"{plural} {name} could not be removed: {error.reason}") from error
    raise ActivityFailed(f"{plural} {name} is still there after {timeout} s")


def wait_for_peak() -> str:
    """Wait until just before the load rises to its peak, as the bundle's schedule says; at once without a bundle.

    Raises ActivityFailed where it has risen already; in a drill that ends the experiment.
    """
    return peak.approach()
