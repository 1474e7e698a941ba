from __future__ import annotations

import pytest

from sandbox.apiserver.route import parse
from tests.sandbox.apiserver.bodies import CATALOGUE


@pytest.mark.parametrize(
    ("path", "kind", "rest"),
    [
        ("api/v1/pods", "Pod", ("", "", "")),
        ("api/v1/namespaces/tars/pods", "Pod", ("tars", "", "")),
        ("api/v1/namespaces/tars/pods/web", "Pod", ("tars", "web", "")),
        ("api/v1/namespaces/tars/pods/web/log", "Pod", ("tars", "web", "log")),
        ("api/v1/namespaces", "Namespace", ("", "", "")),
        ("api/v1/namespaces/tars", "Namespace", ("", "tars", "")),
        ("api/v1/namespaces/tars/status", "Namespace", ("", "tars", "status")),
        ("api/v1/nodes/n/status", "Node", ("", "n", "status")),
        ("apis/apps/v1/namespaces/tars/deployments/web/scale", "Deployment", ("tars", "web", "scale")),
    ],
)
def test_a_path_names_a_resource(path: str, kind: str, rest: tuple[str, str, str]) -> None:
    route = parse(CATALOGUE, tuple(path.split("/")))
    assert route is not None
    assert (route.kind.kind, (route.namespace, route.name, route.subresource)) == (kind, rest)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "api/v1",
        "api/v1/widgets",
        "api/v2/pods",
        "apis/apps/v1",
        "apis/apps/v1/pods",
        "api/v1/pods/web",
        "api/v1/namespaces/tars/nodes",
        "api/v1/namespaces/tars/pods/web/exec",
        "api/v1/namespaces/tars/pods/web/log/more",
        "api/v1/namespaces//pods",
    ],
)
def test_a_path_to_anything_else_names_none(path: str) -> None:
    assert parse(CATALOGUE, tuple(path.split("/"))) is None
