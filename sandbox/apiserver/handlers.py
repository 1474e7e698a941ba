"""From an HTTP request on a resource to the registry's verbs, and back to JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from sandbox.apiserver import patches, selectors, subresources, tables
from sandbox.apiserver.catalogue import Kind
from sandbox.apiserver.deletion import DeleteOptions, Fate
from sandbox.apiserver.negotiation import Form, negotiate
from sandbox.apiserver.objects import KubeObject
from sandbox.apiserver.registry import Registry, Write
from sandbox.apiserver.route import Route
from sandbox.apiserver.status import BadRequest, MethodNotAllowed, Unprocessable, UnsupportedMediaType

_TRUE = ("true", "1", "True")
_PROTOBUF_HINT = " (from kubectl: add `--dry-run=client -o yaml` and pipe it into `kubectl apply -f -`)"


def flag(query: Mapping[str, str], name: str) -> bool:
    """Whether a boolean query parameter is set."""
    return query.get(name, "") in _TRUE


def check_list_options(query: Mapping[str, str], watching: bool) -> None:
    """Raise Unprocessable on options of a list or a watch that contradict each other."""
    match, initial = query.get("resourceVersionMatch", ""), "sendInitialEvents" in query
    fault = ""
    if watching and initial and match != "NotOlderThan":
        fault = "resourceVersionMatch: Forbidden: sendInitialEvents requires setting it to NotOlderThan"
    elif watching and match and not initial:
        fault = "resourceVersionMatch: Forbidden: it is forbidden for watch unless sendInitialEvents is provided"
    elif initial and not watching:
        fault = "sendInitialEvents: Forbidden: it is forbidden for list"
    elif match and not query.get("resourceVersion"):
        fault = "resourceVersionMatch: Forbidden: it is forbidden unless resourceVersion is provided"
    if fault and not (watching and match == "NotOlderThan" and initial):
        raise Unprocessable(f'ListOptions.meta.k8s.io "" is invalid: {fault}')


def selection(route: Route, query: Mapping[str, str]) -> selectors.Predicate | None:
    """Return the test of a request's label and field selectors."""
    by_name = f"metadata.name={route.name}" if route.name else ""
    fields = ",".join(filter(None, (query.get("fieldSelector", ""), by_name)))
    return selectors.predicate(route.kind, query.get("labelSelector", ""), fields)


async def answer(registry: Registry, route: Route, request: web.Request) -> web.Response:
    """Answer any request that is neither a watch nor a log; raises StatusError."""
    if (route.kind.read_only or route.kind.computed) and request.method != "GET":
        raise MethodNotAllowed
    body = await read_body(request)
    write = _write_options(request.query)
    match request.method, bool(route.name), route.subresource:
        case "GET", False, _:
            found = _list(registry, route, request.query)
            return _respond(registry, route.kind, found, request, write)
        case "GET", True, "scale":
            return json_response(subresources.scale_of(registry.get(route.kind, route.key)))
        case "GET", True, "" | "status":
            return _respond(registry, route.kind, registry.get(route.kind, route.key), request, write)
        case "POST", False, _ if bool(route.namespace) is route.kind.namespaced:
            created = registry.create(route.kind, route.namespace, body, write)
            return _respond(registry, route.kind, created, request, write, 201)
        case "POST", True, "binding":
            registry.bind(route.kind, route.key, body or {}, write)
            return json_response(_success(), 201)
        case "POST", True, "eviction":
            registry.delete(route.kind, route.key, DeleteOptions.parse((body or {}).get("deleteOptions") or {}))
            return json_response(_success(), 201)
        case "PUT", True, "" | "status" | "scale" | "finalize":
            updated = registry.update(route.kind, route.key, body, route.subresource, write)
            return _respond(registry, route.kind, updated, request, write)
        case "PATCH", True, "" | "status" | "scale":
            patched = registry.patch(route.kind, route.key, body, request.content_type, route.subresource, write)
            return _respond(registry, route.kind, patched, request, write)
        case "DELETE", True, "":
            return _delete(registry, route, _delete_options(body, request.query))
        case "DELETE", False, _ if "deletecollection" in route.kind.verbs:
            return _delete_all(registry, route, _delete_options(body, request.query), request.query)
    raise MethodNotAllowed


def encode(value: Any) -> bytes:
    """Encode JSON as compactly as the real server does."""
    return json.dumps(value, separators=(",", ":")).encode()


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a JSON answer."""
    return web.Response(body=encode(value), status=status, headers=headers, content_type="application/json")


async def read_body(request: web.Request) -> Any:
    """Return the JSON of a request's body, None where it is empty; raises BadRequest or UnsupportedMediaType."""
    raw = await request.read()
    if not raw:
        return None
    accepted = patches.PATCH_TYPES if request.method == "PATCH" else ("application/json",)
    named = "Content-Type" in request.headers
    if named and request.content_type not in accepted:
        protobuf = request.content_type == "application/vnd.kubernetes.protobuf"
        raise UnsupportedMediaType.expecting(accepted, _PROTOBUF_HINT if protobuf else "")
    try:
        return json.loads(raw)
    except ValueError as error:
        raise BadRequest(f"the body of the request is not JSON: {error}") from error


def _list(registry: Registry, route: Route, query: Mapping[str, str]) -> KubeObject:
    check_list_options(query, watching=False)
    if query.get("continue"):
        raise BadRequest("continue key is not valid: the server answers every list whole")
    version, match = query.get("resourceVersion", ""), query.get("resourceVersionMatch", "")
    found = registry.list(route.kind, route.namespace, selection(route, query), version, match)
    return _list_of(route.kind, found, registry.store.version)


def _list_of(kind: Kind, objects: list[KubeObject], version: int) -> KubeObject:
    metadata = {} if kind.computed else {"resourceVersion": str(version)}
    bare = [{name: value for name, value in obj.items() if name not in ("kind", "apiVersion")} for obj in objects]
    return {"kind": f"{kind.kind}List", "apiVersion": kind.group_version, "metadata": metadata, "items": bare}


def _delete(registry: Registry, route: Route, options: DeleteOptions) -> web.Response:
    fate, obj = registry.delete(route.kind, route.key, options)
    if fate is not Fate.REMOVED or route.kind.returns_deleted:
        return json_response(obj)
    group = {"group": route.kind.group} if route.kind.group else {}
    details = {"name": route.name, **group, "kind": route.kind.plural, "uid": obj["metadata"]["uid"]}
    return json_response(_success() | {"details": details})


def _delete_all(registry: Registry, route: Route, options: DeleteOptions, query: Mapping[str, str]) -> web.Response:
    found = registry.list(route.kind, route.namespace, selection(route, query))
    deleted = []
    for obj in found:
        metadata = obj["metadata"]
        deleted.append(registry.delete(route.kind, (metadata.get("namespace", ""), metadata["name"]), options)[1])
    return json_response(_list_of(route.kind, deleted, registry.store.version))


def _success() -> KubeObject:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}


def _write_options(query: Mapping[str, str]) -> Write:
    dry_run = query.get("dryRun", "")
    if dry_run not in ("", "All"):
        raise BadRequest(f'dryRun: Unsupported value: "{dry_run}": supported values: "All"')
    validation = query.get("fieldValidation") or "Warn"
    if validation not in ("Ignore", "Warn", "Strict"):
        raise BadRequest(f'fieldValidation: Unsupported value: "{validation}"')
    return Write(dry_run == "All", validation)


def _delete_options(body: Any, query: Mapping[str, str]) -> DeleteOptions:
    """Read the options from the body, or from the query where there is no body, as the real server does."""
    if isinstance(body, dict):
        return DeleteOptions.parse(body)
    given: KubeObject = {name: query[name] for name in ("propagationPolicy", "dryRun") if name in query}
    if grace := query.get("gracePeriodSeconds"):
        given["gracePeriodSeconds"] = int(grace) if grace.isdecimal() else grace
    if "orphanDependents" in query:
        given["orphanDependents"] = flag(query, "orphanDependents")
    return DeleteOptions.parse(given)


def _respond(
    registry: Registry, kind: Kind, obj: KubeObject, request: web.Request, write: Write, status: int = 200
) -> web.Response:
    headers = {"Warning": ", ".join(f"299 - {json.dumps(text)}" for text in write.warnings)} if write.warnings else None
    form = negotiate(request.headers.get("Accept", ""))
    items = obj.get("items") if obj["kind"] == f"{kind.kind}List" else None
    if form is Form.TABLE and obj["kind"] != "Scale":
        metadata = (
            obj["metadata"] if items is not None else {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
        )
        include = request.query.get("includeObject") or "Metadata"
        now_ns = registry.clock_ns()
        obj = tables.table(kind, items if items is not None else [obj], now_ns, include, metadata)
    elif form in (Form.PARTIAL, Form.PARTIAL_LIST):
        if items is None:
            obj = tables.partial(obj)
        else:
            found = [tables.partial(each) for each in items]
            named = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
            obj = {**named, "metadata": obj["metadata"], "items": found}
    return json_response(obj, status, headers)
