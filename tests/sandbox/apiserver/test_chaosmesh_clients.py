"""kubectl and chaosk8s, unmodified, with Chaos Mesh's kinds; no controllers, so an object stays as it is posted."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.apiserver.cluster import Cluster, kubectls
from tests.sandbox.apiserver.test_chaosmesh import delay, kill

kubernetes = pytest.importorskip("kubernetes")
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
NETWORK_CHAOS: dict[str, Any] = {"apiVersion": "chaos-mesh.org/v1alpha1", "kind": "NetworkChaos", **delay()}
POD_CHAOS: dict[str, Any] = {"apiVersion": "chaos-mesh.org/v1alpha1", "kind": "PodChaos", **kill()}
CUSTOM = ("chaos-mesh.org", "v1alpha1")
SECRETS = {"KUBERNETES_CONTEXT": "us-east-1"}


@pytest.fixture
def here(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What chaosk8s finds the cluster by. It leaves its connections to the garbage collector."""
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    # The client reads $KUBECONFIG only once, when it is imported.
    monkeypatch.setattr(kubernetes.config.kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(cluster.kubeconfig))
    yield
    gc.collect()


@pytest.mark.parametrize("kubectl", kubectls(), ids=lambda path: path.rsplit("/", 3)[-3])
def test_kubectl_applies_shows_and_deletes_chaos(cluster: Cluster, kubectl: str) -> None:
    for body in (NETWORK_CHAOS, POD_CHAOS):
        assert " created" in cluster.kubectl(kubectl, "apply", "-f", "-", given=body)
        assert " unchanged" in cluster.kubectl(kubectl, "apply", "-f", "-", given=body)
    assert cluster.kubectl(kubectl, "get", "networkchaos").split() == ["NAME", "ACTION", "DURATION", "slow", "delay"]
    assert "Latency:" in cluster.kubectl(kubectl, "describe", "networkchaos.chaos-mesh.org", "slow")
    assert "networkchaos.chaos-mesh.org" in cluster.kubectl(kubectl, "get", "crd", "-o", "name")
    changed = {**NETWORK_CHAOS, "spec": {**NETWORK_CHAOS["spec"], "delay": {"latency": "1s"}}}
    refused = cluster.run(kubectl, "apply", "-f", "-", given=changed)
    assert refused.returncode == 1
    assert "Cannot update chaos spec" in refused.stderr
    strict = cluster.run(kubectl, "apply", "-f", "-", given={**POD_CHAOS, "spec": {**POD_CHAOS["spec"], "moed": "all"}})
    assert 'unknown field "spec.moed"' in strict.stderr
    for body in (NETWORK_CHAOS, POD_CHAOS):
        assert " deleted" in cluster.kubectl(kubectl, "delete", "-f", "-", given=body)
    assert cluster.kubectl(kubectl, "get", "networkchaos,podchaos") == ""


@pytest.mark.usefixtures("here")
def test_chaosk8s_makes_and_removes_a_custom_object() -> None:
    from chaosk8s.crd.actions import create_custom_object, delete_custom_object

    made = create_custom_object(*CUSTOM, "networkchaos", resource=NETWORK_CHAOS, secrets=SECRETS)
    assert made["spec"]["delay"]["latency"] == "100ms"
    removed = delete_custom_object(*CUSTOM, "networkchaos", "slow", secrets=SECRETS)
    assert removed["status"] == "Success"


@pytest.mark.usefixtures("here")
def test_chaosk8s_adds_latency() -> None:
    from chaosk8s.chaosmesh.network.actions import add_latency, delete_network_fault

    plain = add_latency("plain", label_selectors="app=web", latency="100ms", target_mode=None, secrets=SECRETS)
    assert plain["spec"]["selector"] == {"labelSelectors": {"app": "web"}, "namespaces": ["default"]}
    # By default it adds a target of one pod of the namespace.
    towards_one = add_latency("towards-one", label_selectors="app=web", latency="100ms", secrets=SECRETS)
    assert towards_one["spec"]["target"] == {"mode": "one", "selector": {"namespaces": ["default"]}}
    for name in ("plain", "towards-one"):
        delete_network_fault(name, secrets=SECRETS)


def test_a_definition_can_be_looked_at_and_not_changed(cluster: Cluster) -> None:
    with kubernetes.config.new_client_from_config(str(cluster.kubeconfig)) as client:
        api = kubernetes.client.ApiextensionsV1Api(client)
        found = api.read_custom_resource_definition("podchaos.chaos-mesh.org")
        assert found.spec.names.kind == "PodChaos"
        with pytest.raises(kubernetes.client.ApiException) as caught:
            api.read_custom_resource_definition("stresschaos.chaos-mesh.org")
        assert caught.value.status == 404
        with pytest.raises(kubernetes.client.ApiException) as caught:
            api.delete_custom_resource_definition("podchaos.chaos-mesh.org")
        assert json.loads(caught.value.body)["reason"] == "MethodNotAllowed"
    gc.collect()
