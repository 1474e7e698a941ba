from __future__ import annotations

import pytest

from sandbox.apiserver import logs
from sandbox.apiserver.objects import KubeObject
from sandbox.apiserver.status import BadRequest, StatusError


def pod(*names: str, default: str = "") -> KubeObject:
    annotations = {"kubectl.kubernetes.io/default-container": default} if default else {}
    return {
        "metadata": {"name": "web", "namespace": "tars", "annotations": annotations},
        "spec": {"containers": [{"name": name} for name in names], "initContainers": [{"name": "init"}]},
    }


@pytest.mark.parametrize(
    ("subject", "asked", "container"),
    [
        (pod("main"), "", "main"),
        (pod("main"), "init", "init"),
        (pod("a", "b"), "b", "b"),
        (pod("a", "b", default="b"), "", "b"),
        (pod("main", default="gone"), "", "main"),
    ],
)
def test_the_container_is_the_one_asked_for_or_the_obvious_one(subject: KubeObject, asked: str, container: str) -> None:
    assert logs.container_of(subject, asked) == container


@pytest.mark.parametrize(
    ("subject", "asked", "says"),
    [
        (pod("a", "b"), "", r"must be specified for pod web, choose one of: \[a b\]"),
        (pod("a"), "x", "container x is not valid for pod web"),
    ],
)
def test_an_unclear_or_unknown_container_is_a_bad_request(subject: KubeObject, asked: str, says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        logs.container_of(subject, asked)


def test_the_agent_is_found_by_the_status_of_its_node() -> None:
    status = {
        "addresses": [{"type": "InternalIP", "address": "127.91.1.2"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
    }
    assert logs.agent_url({"metadata": {"name": "n"}, "status": status}) == "http://127.91.1.2:10250"
    assert logs.log_path(pod("main"), "main") == "/containerLogs/tars/web/main"
    with pytest.raises(StatusError, match="node n announces no address"):
        logs.agent_url({"metadata": {"name": "n"}, "status": {}})


def test_no_token_is_sent_to_an_agent_beyond_loopback() -> None:
    status = {
        "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
    }
    with pytest.raises(StatusError, match="not on loopback"):
        logs.agent_url({"metadata": {"name": "n"}, "status": status})
