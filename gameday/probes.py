"""Chaos Toolkit probes that chaosk8s lacks. They run inside `chaos`, and work in any experiment."""

from __future__ import annotations

import logging
import time
from typing import Any

import requests
from chaosk8s import create_k8s_api_client
from kubernetes import client

from gameday.chaosmesh import GROUP, VERSION, conditions_of
from gameday.control import why_to_stop

logger = logging.getLogger("chaostoolkit")

LOOK_S = 0.1
ANSWER_TIMEOUT_S = 5.0


def no_pod_crash_loops(ns: str = "default", label_selector: str = "", secrets: dict[str, Any] | None = None) -> bool:
    """Whether no pod in namespace `ns` has a container that waits in CrashLoopBackOff; those that have are logged.

    Raises kubernetes' ApiException where the pods can't be listed, which fails the probe.
    """
    api: Any = client.CoreV1Api(create_k8s_api_client(secrets))
    looping = sorted(
        pod.metadata.name
        for pod in api.list_namespaced_pod(ns, label_selector=label_selector).items
        if any(
            status.state is not None
            and status.state.waiting is not None
            and status.state.waiting.reason == "CrashLoopBackOff"
            for status in pod.status.container_statuses or []
        )
    )
    if looping:
        logger.error("in CrashLoopBackOff: %s", ", ".join(looping))
    return not looping


def deployment_whole_everywhere(name: str, contexts: str, ns: str = "default", timeout: int = 0) -> bool:
    """Whether a deployment has all the replicas that it wants, at least one, ready in each of `contexts` (separated by
    commas), within `timeout` seconds; where it hasn't is logged.

    Raises kubernetes' ApiException where it can't be read, which fails the probe.
    """
    deadline_s = time.monotonic() + timeout
    while lacking := [context for context in contexts.split(",") if not _whole(name, ns, context)]:
        if time.monotonic() >= deadline_s:
            logger.error("%s is not whole in %s", name, ", ".join(lacking))
            return False
        time.sleep(LOOK_S)
    return True


def leading_region(entry: str, health: str = "/health") -> str:
    """The region of whom a replica takes for the leader, as the entry's answer says; "" where it knows none.

    entry: the URL at which any region answers. health: the path that tells `raft_status.leader`.
    """
    try:
        status = requests.get(entry + health, timeout=ANSWER_TIMEOUT_S).json().get("raft_status") or {}
    except (requests.RequestException, ValueError, AttributeError):
        return ""
    return str(status.get("leader") or "")


def another_region_leads(region: str, entry: str, health: str = "/health", timeout: int = 30) -> bool:
    """Whether another region than `region` leads, within `timeout` seconds."""
    deadline_s = time.monotonic() + timeout
    while leading_region(entry, health) in ("", region):
        if time.monotonic() >= deadline_s:
            return False
        time.sleep(LOOK_S)
    return True


def chaos_came_to(
    condition: str,
    plural: str,
    name: str,
    ns: str = "default",
    timeout: int = 30,
    secrets: dict[str, Any] | None = None,
) -> bool:
    """Whether a resource of Chaos Mesh has come to a condition, such as AllInjected or AllRecovered, within `timeout`
    seconds. In a drill that is aborted, or whose harness has died, it is not waited for.

    Raises kubernetes' ApiException where it can't be read, which fails the probe.
    """
    api: Any = client.CustomObjectsApi(create_k8s_api_client(secrets))
    deadline_s = time.monotonic() + timeout
    while condition not in conditions_of(api.get_namespaced_custom_object(GROUP, VERSION, ns, plural, name)):
        if reason := why_to_stop():
            logger.error("%s %s was not waited for: %s", plural, name, reason)
            return False
        if time.monotonic() >= deadline_s:
            logger.error("%s %s has not come to %s within %s s", plural, name, condition, timeout)
            return False
        time.sleep(LOOK_S)
    return True


def _whole(name: str, ns: str, context: str) -> bool:
    api: Any = client.AppsV1Api(create_k8s_api_client({"KUBERNETES_CONTEXT": context}))
    deployment = api.read_namespaced_deployment(name, ns)
    wanted, ready = deployment.spec.replicas or 0, deployment.status.ready_replicas or 0
    return 0 < wanted <= ready
