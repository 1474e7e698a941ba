"""What the server says of itself: versions, groups and resources, and the OpenAPI v3 documents that kubectl reads."""

from __future__ import annotations

from typing import Any

from sandbox.apiserver import schema
from sandbox.apiserver.catalogue import Catalogue, Kind
from sandbox.apiserver.objects import KubeObject

KUBERNETES_VERSION = "1.34.4"
_WRITE_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation")
_SUBRESOURCES = {
    "scale": ({"group": "autoscaling", "version": "v1", "kind": "Scale"}, ("get", "patch", "update")),
    "binding": ({"kind": "Binding"}, ("create",)),
    "eviction": ({"group": "policy", "version": "v1", "kind": "Eviction"}, ("create",)),
    "log": ({}, ("get",)),
    "finalize": ({}, ("update",)),
}


def version() -> KubeObject:
    """Return `/version`: the release whose behaviour the server follows, marked as no real one."""
    major, minor, _ = KUBERNETES_VERSION.split(".")
    return {"major": major, "minor": minor, "gitVersion": f"v{KUBERNETES_VERSION}+sandbox", "platform": "linux/amd64"}


def document(catalogue: Catalogue, segments: tuple[str, ...]) -> KubeObject | None:
    """Return the discovery document under a path, None where there is none."""
    match segments:
        case ():
            return {"paths": ["/api", "/apis", "/openapi/v3", "/version"]}
        case ("version",):
            return version()
        case ("api",):
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        case ("apis",):
            groups = [_group(catalogue, name) for name in _group_names(catalogue)]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        case ("apis", name) if name in _group_names(catalogue):
            return {"kind": "APIGroup", "apiVersion": "v1"} | _group(catalogue, name)
        case ("openapi", "v3"):
            paths = {_api_path(each): each for each in catalogue.group_versions()}
            return {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}"} for path in paths}}
        case ("openapi", "v3", *rest):
            return _openapi(catalogue, "/".join(rest))
        case ("api", "v1") | ("apis", _, _):
            group_version = "/".join(segments[1:])
            kinds = catalogue.group_versions().get(group_version)
            return _resource_list(group_version, kinds) if kinds else None
    return None


def is_served(catalogue: Catalogue, segments: tuple[str, ...]) -> bool:
    """Whether a path lies in a group version that the server has, whatever follows."""
    end = 2 if segments[:1] == ("api",) else 3
    return "/".join(segments[1:end]) in catalogue.group_versions()


def _group_names(catalogue: Catalogue) -> list[str]:
    return list(dict.fromkeys(kind.group for kind in catalogue.kinds if kind.group))


def _group(catalogue: Catalogue, name: str) -> KubeObject:
    found = dict.fromkeys(kind.group_version for kind in catalogue.kinds if kind.group == name)
    versions = [{"groupVersion": each, "version": each.partition("/")[2]} for each in found]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _resource_list(group_version: str, kinds: list[Kind]) -> KubeObject:
    resources = [entry for kind in kinds for entry in _resources(kind)]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources}


def _resources(kind: Kind) -> list[KubeObject]:
    entry: KubeObject = {
        "name": kind.plural,
        "singularName": "" if kind.computed else kind.kind.lower(),
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.in_all:
        entry["categories"] = ["all"]
    return [entry] + [_subresource(kind, name) for name in kind.subresources]


def _subresource(kind: Kind, name: str) -> KubeObject:
    served_as, verbs = _SUBRESOURCES.get(name, ({}, ("get", "patch", "update")))
    entry: KubeObject = {"name": f"{kind.plural}/{name}", "singularName": "", "namespaced": kind.namespaced}
    return entry | {"kind": kind.kind} | served_as | {"verbs": list(verbs)}


def _api_path(group_version: str) -> str:
    return f"apis/{group_version}" if "/" in group_version else f"api/{group_version}"


def _openapi(catalogue: Catalogue, path: str) -> KubeObject | None:
    """Return the OpenAPI document of one group version.

    It tells kubectl that the server itself checks for unknown fields (`fieldValidation`), and gives `kubectl explain`
    the fields and their types; descriptions are left out.
    """
    for group_version, kinds in catalogue.group_versions().items():
        if _api_path(group_version) == path:
            return {
                "openapi": "3.0.0",
                "info": {"title": "Kubernetes", "version": f"v{KUBERNETES_VERSION}"},
                "paths": dict(_openapi_path(kind, path) for kind in kinds),
                "components": {"schemas": _schemas(kinds)},
            }
    return None


def _openapi_path(kind: Kind, path: str) -> tuple[str, KubeObject]:
    namespaces = "namespaces/{namespace}/" if kind.namespaced else ""
    parameters = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in _WRITE_PARAMETERS]
    operation = {"x-kubernetes-group-version-kind": _identity(kind), "parameters": parameters}
    verbs = {"get": "get", "put": "put", "patch": "patch"}
    operations = {name: operation | {"x-kubernetes-action": action} for name, action in verbs.items()}
    return f"/{path}/{namespaces}{kind.plural}/{{name}}", operations


def _identity(kind: Kind) -> KubeObject:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


def _schemas(kinds: list[Kind]) -> dict[str, Any]:
    schemas = dict(schema.definitions())
    for kind in kinds:
        if kind.schema:
            schemas[kind.schema] = schemas[kind.schema] | {"x-kubernetes-group-version-kind": [_identity(kind)]}
    return schemas
