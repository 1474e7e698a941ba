from __future__ import annotations

from typing import Any

import pytest

from sandbox.client import KubeObject
from sandbox.errors import BadManifest
from sandbox.network import Address
from sandbox.traffic.backends import Endpoint, backends_of

READY = {"ready": True, "serving": True, "terminating": False}
UNREADY = {"ready": False, "serving": False, "terminating": False}
LEAVING = {"ready": False, "serving": True, "terminating": True}
GONE = {"ready": False, "serving": False, "terminating": True}


def service(**changes: Any) -> KubeObject:
    meta = {"name": "web", "namespace": "tars", **changes.pop("metadata", {})}
    ports = [{"name": "http", "port": 80, "protocol": "TCP", "appProtocol": "http"}]
    return {"metadata": meta, "spec": {"clusterIP": "127.95.48.1", "ports": ports, **changes}}


def endpoint_slice(*endpoints: tuple[str, dict[str, bool]], of: str = "web", port: int = 8080) -> KubeObject:
    return {
        "metadata": {"name": f"{of}-x", "namespace": "tars", "labels": {"kubernetes.io/service-name": of}},
        "ports": [{"name": "http", "port": port}],
        "endpoints": [{"addresses": [address], "conditions": conditions} for address, conditions in endpoints],
    }


def test_only_ready_endpoints_get_traffic_and_leaving_ones_are_kept_apart() -> None:
    found = endpoint_slice(
        ("127.95.32.1", READY), ("127.95.32.2", UNREADY), ("127.95.32.3", LEAVING), ("127.95.32.4", GONE)
    )
    [backend] = backends_of("us-east-1", service(), [found])
    assert backend.ready == (Endpoint("us-east-1", "127.95.32.1", 8080),)
    assert backend.leaving == (Endpoint("us-east-1", "127.95.32.3", 8080),)


def test_an_endpoint_without_conditions_is_ready() -> None:
    """The API's own rule for an unknown state."""
    [backend] = backends_of("us-east-1", service(), [endpoint_slice(("127.95.32.1", {}))])
    assert len(backend.ready) == 1


def test_several_slices_of_a_service_are_one_backend_and_others_are_left_out() -> None:
    slices = [
        endpoint_slice(("127.95.32.1", READY)),
        endpoint_slice(("127.95.32.2", READY), ("127.95.32.1", READY)),
        endpoint_slice(("127.95.32.3", READY), of="other"),
    ]
    [backend] = backends_of("us-east-1", service(), slices)
    assert [endpoint.address for endpoint in backend.ready] == ["127.95.32.1", "127.95.32.2"]


def test_it_listens_at_the_cluster_ip_and_sends_to_the_slice_s_port() -> None:
    [backend] = backends_of("us-east-1", service(), [endpoint_slice(("127.95.32.1", READY), port=9000)])
    assert backend.listen == Address("127.95.48.1", 80)
    assert backend.ready[0].port == 9000
    assert backend.http


def test_a_port_without_app_protocol_is_plain_tcp() -> None:
    [backend] = backends_of("us-east-1", service(ports=[{"name": "db", "port": 5432}]), [])
    assert not backend.http


@pytest.mark.parametrize(
    "changes",
    [
        {"clusterIP": None},
        {"clusterIP": "None"},
        {"ports": [{"port": 53, "protocol": "UDP"}]},
        {"metadata": {"labels": {"gameday.dev/entry": "true"}}},
    ],
    ids=["not allocated", "headless", "udp", "the entry itself"],
)
def test_a_service_that_can_not_be_listened_for_has_no_backend(changes: dict[str, Any]) -> None:
    assert backends_of("us-east-1", service(**changes), []) == []


def test_a_bad_annotation_names_the_service_and_region() -> None:
    wrong = service(metadata={"annotations": {"gameday.dev/retries": "many"}})
    with pytest.raises(BadManifest, match="Service tars/web in us-east-1"):
        backends_of("us-east-1", wrong, [])
