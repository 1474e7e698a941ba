from __future__ import annotations

from typing import Any

import pytest

from sandbox.apiserver.catalogue import Kind
from sandbox.apiserver.objects import KubeObject
from sandbox.apiserver.registry import Write
from sandbox.apiserver.status import Invalid
from tests.sandbox.apiserver.bodies import (
    CONFIG_MAP,
    DEPLOYMENT,
    POD,
    SERVICE,
    Region,
    config_map,
    deployment,
    pod,
    service,
)

MERGE = "application/merge-patch+json"
TWO_PORTS = [{"port": 80}, {"port": 81, "name": "b"}]
ROLLING_ZERO = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}


def with_containers(*containers: KubeObject) -> KubeObject:
    return pod(containers=list(containers))


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        (CONFIG_MAP, {"metadata": {}}, "metadata.name: Required value: name or generateName is required"),
        (CONFIG_MAP, config_map("Upper"), 'metadata.name: Invalid value: "Upper": a lowercase RFC 1123 subdomain'),
        (SERVICE, service("9x"), 'metadata.name: Invalid value: "9x": a DNS-1035 label must'),
        (POD, {"metadata": {"name": "x", "labels": {"a": "b c"}}, "spec": pod()["spec"]},
         'metadata.labels: Invalid value: "b c"'),
        (POD, with_containers(), "spec.containers: Required value"),
        (POD, with_containers({"name": "a"}), "spec.containers[0].image: Required value"),
        (POD, with_containers({"image": "i"}), "spec.containers[0].name: Required value"),
        (POD, with_containers({"name": "a", "image": "i"}, {"name": "a", "image": "i"}),
         'spec.containers[1].name: Duplicate value: "a"'),
        (POD, with_containers({"name": "a", "image": "i", "ports": [{"containerPort": 70000}]}),
         "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"),
        (POD, with_containers({"name": "a", "image": "i", "livenessProbe": {}}),
         "spec.containers[0].livenessProbe: Required value: must specify a handler type"),
        (POD, pod(restartPolicy="Maybe"), 'spec.restartPolicy: Unsupported value: "Maybe"'),
        (DEPLOYMENT, deployment(selector=None), "spec.selector: Required value"),
        (DEPLOYMENT, deployment(selector={}), "empty selector is invalid for deployment"),
        (DEPLOYMENT, deployment(selector={"matchLabels": {"app": "other"}}),
         'Invalid value: {"app":"web"}: `selector` does not match template `labels`'),
        (DEPLOYMENT, deployment(replicas=-1), "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        (DEPLOYMENT, deployment(strategy={"type": "Big"}), 'spec.strategy: Unsupported value: "Big"'),
        (DEPLOYMENT, deployment(strategy=ROLLING_ZERO), "may not be 0 when `maxSurge` is 0"),
        (DEPLOYMENT, {"metadata": {"name": "x"}}, "spec.template.spec.containers: Required value"),
        (SERVICE, service(ports=[]), "spec.ports: Required value"),
        (SERVICE, service(ports=TWO_PORTS), "spec.ports[0].name: Required value"),
        (SERVICE, service(type="NodePort"), 'spec.type: Unsupported value: "NodePort"'),
        (SERVICE, service(clusterIP="10.0.0.1"), "the provided network does not match the current range"),
    ],
)  # fmt: skip
def test_an_invalid_object_is_refused_with_the_field_and_the_reason(kind: Kind, body: KubeObject, says: str) -> None:
    with pytest.raises(Invalid) as caught:
        Region().create(kind, body)
    assert says in str(caught.value)
    assert caught.value.body()["details"]["causes"]


@pytest.mark.parametrize(
    ("kind", "body", "change", "says"),
    [
        (DEPLOYMENT, deployment(), {"selector": {"matchLabels": {"app": "web", "x": "y"}},
         "template": {"metadata": {"labels": {"x": "y"}}}}, "spec.selector: Invalid value: "),
        (POD, pod(), {"containers": [{"name": "main", "image": "web:1", "command": ["x"]}]},
         "spec: Forbidden: pod updates may not change fields other than"),
        (SERVICE, service(), {"clusterIP": "127.91.48.5"}, "may not change once set"),
    ],
)  # fmt: skip
def test_what_may_not_change_does_not(kind: Kind, body: KubeObject, change: dict[str, Any], says: str) -> None:
    region = Region()
    region.create(kind, body)
    with pytest.raises(Invalid, match=says):
        region.registry.patch(kind, ("default", "web"), {"spec": change}, MERGE, "", Write())


def test_the_image_of_a_pod_may_change() -> None:
    region = Region()
    region.create(POD, pod())
    patch = {"spec": {"containers": [{"name": "main", "image": "web:2"}]}}
    changed = region.registry.patch(
        POD, ("default", "web"), patch, "application/strategic-merge-patch+json", "", Write()
    )
    assert changed["spec"]["containers"][0]["image"] == "web:2"
