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
from gameday.chaosmesh import GROUP, VERSION, ChaosResource
from gameday.control import BUNDLE_VARIABLE
from gameday.owned import made_uid
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
    context = _context(secrets)
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

    In a drill whose experiment makes it, only what the drill is known to have made is deleted. Chaos Mesh keeps one
    that has expired. Raises ActivityFailed after `timeout` seconds, and where the API server refuses.
    """
    api: Any = client.CustomObjectsApi(create_k8s_api_client(secrets))
    where, mine = (GROUP, VERSION, ns, plural, name), _made_here(plural, name, ns, _context(secrets))
    deadline_s, there = time.monotonic() + timeout, False
    try:
        uid = api.get_namespaced_custom_object(*where)["metadata"]["uid"]
        if mine is not None and (made := made_uid(*mine)) != uid:
            logger.warning("%s is left alone: this drill made %s", mine[1], made or "none that it knows of")
            return False
        only = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid=uid))
        api.delete_namespaced_custom_object(*where, body=only)
        there = True
        while time.monotonic() < deadline_s:
            if api.get_namespaced_custom_object(*where)["metadata"]["uid"] != uid:
                return True
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


def _context(secrets: dict[str, Any] | None) -> str:
    return (secrets or {}).get("KUBERNETES_CONTEXT") or os.environ.get("KUBERNETES_CONTEXT", "")


def _made_here(plural: str, name: str, ns: str, context: str) -> tuple[Path, ChaosResource] | None:
    """The bundle, and the resource in it that the drill's experiment makes by that name; None where it makes none."""
    bundle = os.environ.get(BUNDLE_VARIABLE)
    for each in Undo.load(Path(bundle)).record.chaos if bundle else ():
        if (each.context, each.namespace, each.resource, each.name) == (context, ns, plural, name):
            return Path(str(bundle)), each
    return None
