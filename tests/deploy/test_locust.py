"""The manifests of a load on Kubernetes: what can be said of them without a cluster."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
KUBECTL = Path(sys.executable).with_name("kubectl")


@cache
def rendered() -> dict[tuple[str, str], dict[str, Any]]:
    """All objects, by kind and name, as `kubectl apply -k` would send them."""
    kubectl = str(KUBECTL) if KUBECTL.exists() else shutil.which("kubectl")
    assert kubectl is not None, "kubectl comes with the development packages"
    done = subprocess.run(
        [kubectl, "kustomize", str(REPOSITORY / "deploy" / "locust")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    objects = [one for one in yaml.safe_load_all(done.stdout) if one]
    return {(one["kind"], one["metadata"]["name"]): one for one in objects}


def only(kind: str) -> dict[str, Any]:
    """The one object of a kind."""
    (found,) = [one for (its_kind, _), one in rendered().items() if its_kind == kind]
    return found


def pod_of(kind: str) -> dict[str, Any]:
    return dict(only(kind)["spec"]["template"]["spec"])


def settings() -> dict[str, str]:
    return dict(only("ConfigMap")["data"])


def environment_of(kind: str) -> dict[str, Any]:
    (container,) = pod_of(kind)["containers"]
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in container["env"]}


def test_the_master_expects_as_many_workers_as_there_are() -> None:
    assert int(settings()["LOCUST_EXPECT_WORKERS"]) == only("StatefulSet")["spec"]["replicas"]


def test_the_profile_is_one_that_there_is() -> None:
    assert (REPOSITORY / "loadprofiles" / Path(settings()["LOCUST_LOCUSTFILE"]).name).is_file()


def test_a_harness_is_waited_for_on_the_loopback_and_the_token_comes_from_a_secret() -> None:
    master = environment_of("Deployment")
    assert master["GAMEDAY_RELAY"].startswith("127.0.0.1:")
    assert set(master["GAMEDAY_LOAD_TOKEN"]) == {"secretKeyRef"}
    assert "Secret" not in {kind for kind, _ in rendered()}
    assert "GAMEDAY_LOAD_TOKEN" not in environment_of("StatefulSet")


def test_a_worker_is_called_like_its_pod() -> None:
    assert environment_of("StatefulSet")["GAMEDAY_WORKER"] == {"fieldRef": {"fieldPath": "metadata.name"}}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_pods_meet_the_restricted_standard_that_their_namespace_enforces(kind: str) -> None:
    pod = pod_of(kind)
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}
    assert set(container["resources"]["limits"]) == {"memory"}, "a generator that is throttled is late"


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_locust_knows_every_option_that_a_pod_is_started_with(kind: str) -> None:
    module, *options = pod_of(kind)["containers"][0]["args"]
    assert module == "gameday.load.pod"
    profile = str(REPOSITORY / "loadprofiles" / "steady.py")
    script = (
        "import sys, gameday.load.plugin, locust.argument_parser as a; print(a.get_parser().parse_args(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "-f", profile, *options], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "gameday_forward=" + str(kind == "StatefulSet") in done.stdout


@pytest.mark.parametrize("key", sorted(rendered()), ids="/".join)
def test_every_field_is_one_that_kubernetes_knows(key: tuple[str, str]) -> None:
    """Read into the client's own types and written again, a misspelt field would be gone."""
    from kubernetes.client import ApiClient

    one, client = rendered()[key], ApiClient()
    typed = client.deserialize(json.dumps(one), f"V1{key[0]}", "application/json")
    assert client.sanitize_for_serialization(typed) == one
