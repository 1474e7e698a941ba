"""Tells a region's Prometheus which pods there are, from the moment a watch delivers a change.

Prometheus could ask the API servers itself, but Debian's is built without that; the labels are those that
`kubernetes_sd_configs` with the usual relabelling would give.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sandbox.client import PODS, EventType, KubeObject
from sandbox.controllers.cluster import Cluster
from sandbox.traffic.files import replace_file

SCRAPED = "prometheus.io/scrape"
"""The annotation that asks for it, as charts and configurations for real clusters have it."""


class ScrapeTargets:
    """Keeps one region's list. Must be made before its cluster starts."""

    def __init__(self, cluster: Cluster, file: Path) -> None:
        self._cluster = cluster
        self._file = file
        self._written = ""
        self._replace()
        cluster.informers[PODS].add_handler(self._changed)

    def _changed(self, _: EventType, __: KubeObject, ___: KubeObject | None) -> None:
        self._replace()

    def _replace(self) -> None:
        text = json.dumps(targets(self._cluster.all(PODS)), indent=1) + "\n"
        if text != self._written:
            replace_file(self._file, text)
            self._written = text


def targets(pods: Iterable[KubeObject]) -> list[dict[str, Any]]:
    """The pods that ask to be scraped and have an address, as Prometheus reads them. Pure.

    One that is leaving is scraped until it is gone: it goes on serving, and what it serves then must be counted.
    """
    found = []
    for pod in pods:
        meta, status = pod["metadata"], pod.get("status") or {}
        address, ended = status.get("podIP"), status.get("phase") in ("Succeeded", "Failed")
        if (meta.get("annotations") or {}).get(SCRAPED) != "true" or not address or ended:
            continue
        ports = [port["containerPort"] for each in pod["spec"]["containers"] for port in each.get("ports") or []]
        if ports:
            labels = {"namespace": meta["namespace"], "pod": meta["name"], **_app(meta.get("labels") or {})}
            found.append({"targets": [f"{address}:{port}" for port in ports], "labels": labels})
    return sorted(found, key=lambda each: each["labels"]["pod"])


def _app(labels: KubeObject) -> dict[str, str]:
    return {"app": labels["app"]} if "app" in labels else {}
