"""Reaching a cluster: what works, and the one line where it doesn't."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from gameday.cluster import ApiError, Cluster
from gameday.errors import BadInput
from tests.gameday.kubernetes import NAMESPACE, Objects, kubeconfig_for, use


def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: Any) -> None:
    """Use this kubeconfig; a string is taken as it stands."""
    path = tmp_path / "kubeconfig"
    path.write_text(config if isinstance(config, str) else yaml.safe_dump(config))
    use(path, monkeypatch)


def plain(server: str = "https://127.0.0.1:1", **changes: Any) -> dict[str, Any]:
    """A kubeconfig with an authority that nobody asks."""
    config = kubeconfig_for(server, b"")
    del config["clusters"][0]["cluster"]["certificate-authority-data"]
    return {**config, **changes}


def test_the_namespace_is_the_one_given_else_the_contexts_own(cluster: Cluster) -> None:
    assert cluster.namespace == "tars"
    assert Cluster.from_kubeconfig("us-east-1", "other").namespace == "other"


def test_a_cluster_that_answers_tells_its_version(cluster: Cluster, objects: Objects) -> None:
    assert objects
    assert cluster.check().startswith("v1.")


def test_a_context_may_be_named_where_none_is_current(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = plain()
    del config["current-context"]
    configured(tmp_path, monkeypatch, config)
    assert Cluster.from_kubeconfig("us-east-1").context == "us-east-1"
    with pytest.raises(BadInput, match="no current context; give --context, one of us-east-1"):
        Cluster.from_kubeconfig(None)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("a: [b", "kubeconfig:1: is not YAML"),
        ("[]", "is not a kubeconfig"),
        ("", "no usable kubeconfig"),
        ("foo: bar", "no current context"),
        (plain(contexts=[]), "has none"),
        (plain(**{"current-context": "moon"}), "no context 'moon'; give one of us-east-1"),
        (plain(clusters=[]), "cannot be used"),
    ],
)
def test_a_kubeconfig_that_cannot_be_used_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: Any, says: str
) -> None:
    configured(tmp_path, monkeypatch, config)
    with pytest.raises(BadInput, match=says) as caught:
        Cluster.from_kubeconfig(None).check()
    assert "\n" not in caught.value.line()


def test_a_missing_kubeconfig_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(tmp_path / "none", monkeypatch)
    with pytest.raises(BadInput, match=r"none: no.* kubeconfig"):
        Cluster.from_kubeconfig(None)


def test_a_cluster_that_refuses_connections_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configured(tmp_path, monkeypatch, plain())
    with pytest.raises(BadInput, match=r"context us-east-1: the cluster at https://127.0.0.1:1 cannot be reached"):
        Cluster.from_kubeconfig(None).check()


def test_a_cluster_that_accepts_and_says_nothing_is_given_up_within_ten_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        configured(tmp_path, monkeypatch, plain(f"https://127.0.0.1:{silent.getsockname()[1]}"))
        started = time.monotonic()
        with pytest.raises(BadInput, match="cannot be reached"):
            Cluster.from_kubeconfig(None).check()
        assert time.monotonic() - started < 10


def test_a_wrong_token_and_a_missing_namespace_are_told_as_the_server_says(
    objects: Objects, kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert objects.cluster.namespace == "tars"
    with pytest.raises(BadInput, match=r"namespaces \"nowhere\" not found"):
        Cluster.from_kubeconfig("us-east-1", "nowhere").check()
    config = yaml.safe_load(kubeconfig.read_text())
    config["users"][0]["user"]["token"] = "wrong"
    configured(tmp_path, monkeypatch, config)
    with pytest.raises(BadInput, match="Unauthorized"):
        Cluster.from_kubeconfig(None).check()


def test_a_merge_patch_changes_what_it_names(cluster: Cluster, objects: Objects) -> None:
    objects.deployment("web", 2)
    path = "/apis/apps/v1/namespaces/tars/deployments/web"
    assert cluster.merge_patch(path, {"spec": {"replicas": 5}})["spec"]["replicas"] == 5
    with pytest.raises(ApiError, match="not found"):
        cluster.merge_patch(path + "x", {})


def test_only_what_has_the_uid_is_deleted(cluster: Cluster, objects: Objects) -> None:
    objects.pod("web-1")
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/web-1"
    with pytest.raises(ApiError, match="HTTP 409"):
        cluster.delete(path, uid="00000000-0000-4000-8000-000000000000")
    cluster.delete(path, uid=cluster.get(path)["metadata"]["uid"])
    with pytest.raises(ApiError, match="HTTP 404"):
        cluster.get(path)
