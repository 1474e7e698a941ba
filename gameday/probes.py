"""Chaos Toolkit probes that chaosk8s lacks. They run inside `chaos`, and work in any experiment."""

from __future__ import annotations

import logging
from typing import Any

from chaosk8s import create_k8s_api_client
from kubernetes import client

logger = logging.getLogger("chaostoolkit")


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
