"""The `kubernetes` client and chaosk8s, unmodified, against a running server."""

from __future__ import annotations

import gc
import json
import threading
from collections.abc import Iterator

import pytest

from tests.sandbox.apiserver.bodies import config_map, deployment, pod
from tests.sandbox.apiserver.cluster import Cluster, kubectls

kubernetes = pytest.importorskip("kubernetes")
# Both clients leave connections to the garbage collector: a stopped watch, and every client that chaosk8s makes.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Have the garbage collector meet those connections here, and not in a test that minds."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def api(cluster: Cluster) -> Iterator[kubernetes.client.ApiClient]:
    with kubernetes.config.new_client_from_config(str(cluster.kubeconfig)) as client:
        yield client


def test_objects_survive_the_client_s_own_validation(cluster: Cluster, api: kubernetes.client.ApiClient) -> None:
    """It refuses objects that lack a required field, such as a node's architecture or a container's image ID."""
    core = kubernetes.client.CoreV1Api(api)
    node_status = {"nodeInfo": {"kubeletVersion": "v1.34.4"}, "daemonEndpoints": {"kubeletEndpoint": {"Port": 1}}}
    pod_status = {"containerStatuses": [{"name": "main"}], "conditions": [{"type": "Ready", "status": "True"}]}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}, "status": node_status}
    kubectl = kubectls()[0]
    cluster.kubectl(kubectl, "create", "-f", "-", given=node)
    core.create_namespaced_pod("default", pod())
    patch = json.dumps({"status": pod_status})
    cluster.kubectl(kubectl, "patch", "pod", "web", "--subresource=status", "--type=merge", "-p", patch)
    assert core.list_node().items[0].status.node_info.architecture == ""
    assert core.list_pod_for_all_namespaces().items[0].status.container_statuses[0].image_id == ""
    core.delete_namespaced_pod("web", "default", grace_period_seconds=0)


def test_a_conflict_is_one_to_the_client(api: kubernetes.client.ApiClient) -> None:
    apps = kubernetes.client.AppsV1Api(api)
    read = apps.create_namespaced_deployment("default", deployment("contested"))
    assert apps.patch_namespaced_deployment_scale("contested", "default", {"spec": {"replicas": 5}}).spec.replicas == 5
    read.spec.replicas = 3
    with pytest.raises(kubernetes.client.ApiException) as caught:
        apps.replace_namespaced_deployment("contested", "default", read)
    assert (caught.value.status, caught.value.reason) == (409, "Conflict")


def test_a_watch_resumes_where_it_stopped(api: kubernetes.client.ApiClient) -> None:
    core = kubernetes.client.CoreV1Api(api)
    version = core.list_namespaced_config_map("default").metadata.resource_version
    names = [f"step-{number}" for number in range(6)]

    def write() -> None:
        for name in names:
            core.create_namespaced_config_map("default", config_map(name))

    writer = threading.Thread(target=write)
    writer.start()
    seen: list[str] = []
    while len(seen) < len(names):
        watch = kubernetes.watch.Watch()
        options = {"resource_version": version, "timeout_seconds": 10}
        for event in watch.stream(core.list_namespaced_config_map, "default", **options):
            seen.append(event["object"].metadata.name)
            version = event["object"].metadata.resource_version
            if len(seen) % 2 == 0:
                watch.stop()
    writer.join()
    assert seen == names


def test_a_watch_from_an_expired_version_is_gone(api: kubernetes.client.ApiClient) -> None:
    core = kubernetes.client.CoreV1Api(api)
    with pytest.raises(kubernetes.client.ApiException) as caught:
        next(kubernetes.watch.Watch().stream(core.list_namespaced_pod, "default", resource_version="1"))
    assert caught.value.status == 410


def test_chaosk8s_kills_and_scales(cluster: Cluster, api: kubernetes.client.ApiClient) -> None:
    from chaosk8s.deployment.actions import scale_deployment
    from chaosk8s.pod.actions import terminate_pods
    from chaosk8s.pod.probes import count_pods

    core, apps = kubernetes.client.CoreV1Api(api), kubernetes.client.AppsV1Api(api)
    secrets = {"KUBERNETES_CONTEXT": "us-east-1"}
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KUBECONFIG", str(cluster.kubeconfig))
        # The client reads $KUBECONFIG only once, when it is imported.
        environment.setattr(kubernetes.config.kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(cluster.kubeconfig))
        core.create_namespaced_pod("default", pod("victim"))
        assert count_pods("app=victim", ns="default", secrets=secrets) == 1
        killed = terminate_pods("app=victim", qty=1, grace_period=0, ns="default", secrets=secrets)
        assert killed == ["victim"]
        assert count_pods("app=victim", ns="default", secrets=secrets) == 0
        apps.create_namespaced_deployment("default", deployment("scaled"))
        scale_deployment("scaled", 3, ns="default", secrets=secrets)
    assert apps.read_namespaced_deployment("scaled", "default").spec.replicas == 3
