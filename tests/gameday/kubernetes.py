"""Builders for tests that talk to a Kubernetes API: kubeconfigs, and objects that nothing will run."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from gameday.cluster import Cluster

TOKEN = "a-token-for-tests"
NAMESPACE = "tars"


def kubeconfig_for(server: str, ca: bytes, token: str = TOKEN) -> dict[str, Any]:
    """A kubeconfig with the one context us-east-1."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "us-east-1",
        "clusters": [
            {"name": "c", "cluster": {"server": server, "certificate-authority-data": base64.b64encode(ca).decode()}}
        ],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "us-east-1", "context": {"cluster": "c", "user": "u", "namespace": NAMESPACE}}],
    }


class Objects:
    """Makes, changes and deletes Kubernetes objects in the test's namespace."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        """One request; fails the test where the server refuses."""
        response = self.cluster._request(
            method,
            path,
            timeout_s=10,
            body=json.dumps(body).encode() if body else None,
            content_type="application/json" if body else "",
        )
        assert response.status < 300, response.data

    def pod(self, name: str, app: str = "web") -> None:
        """Create a pod that nothing will run."""
        self.call(
            "POST",
            f"/api/v1/namespaces/{NAMESPACE}/pods",
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": name, "labels": {"app": app}},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            },
        )

    def deployment(self, name: str, replicas: int) -> None:
        """Create a deployment that nothing will roll out."""
        labels = {"app": name}
        self.call(
            "POST",
            f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments",
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": name},
                "spec": {
                    "replicas": replicas,
                    "selector": {"matchLabels": labels},
                    "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
                },
            },
        )

    def delete(self, what: str, name: str) -> None:
        """Delete a pod or deployment at once."""
        base = "/api/v1" if what == "pods" else "/apis/apps/v1"
        self.call("DELETE", f"{base}/namespaces/{NAMESPACE}/{what}/{name}?gracePeriodSeconds=0")


def use(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this the kubeconfig of the process; the kubernetes client reads the variable when it is imported."""
    from kubernetes.config import kube_config

    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(kubeconfig))
