"""A Kubernetes context as the harness uses it: plain JSON over the connection that the kubeconfig describes.

The `kubernetes` client reads the kubeconfig (certificates, tokens, exec plugins, proxies); its pool carries the
requests. Its model classes are left out: a watch wants the bytes as they come, and the objects are only read.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from gameday.errors import BadInput

if TYPE_CHECKING:
    import urllib3

PATHS = {
    "pods": "/api/v1/namespaces/{namespace}/pods",
    "deployments": "/apis/apps/v1/namespaces/{namespace}/deployments",
    "services": "/api/v1/namespaces/{namespace}/services",
    "autoscalers": "/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers",
    "networkchaos": "/apis/chaos-mesh.org/v1alpha1/namespaces/{namespace}/networkchaos",
    "podchaos": "/apis/chaos-mesh.org/v1alpha1/namespaces/{namespace}/podchaos",
    "endpointslices": "/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices",
    "podmetrics": "/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods",
    "namespace": "/api/v1/namespaces/{namespace}",
}
"""Where the API server has what the harness reads."""

REACH_TIMEOUT_S = 5.0
"""How long the first contact with a cluster may take before it counts as out of reach."""


class ApiError(Exception):
    """The API server answered with an error. `code` is the HTTP status; the message is the server's own."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        super().__init__(f"HTTP {code}: {message}")


class Cluster:
    """One context of a kubeconfig, connected to lazily. Thread-safe, as its connection pool is."""

    def __init__(self, context: str, client: Any, namespace: str) -> None:
        self.context = context
        self.namespace = namespace
        self._client = client
        self._pool: urllib3.PoolManager = client.rest_client.pool_manager
        self._host: str = client.configuration.host

    @classmethod
    def from_kubeconfig(cls, context: str | None, namespace: str | None = None) -> Cluster:
        """The cluster of `context` (None: the current one) in the kubeconfig that KUBECONFIG or ~/.kube/config names.

        The namespace is the one given, else the context's, else `default`.
        Raises BadInput where the kubeconfig is missing or malformed or has no such context.
        """
        from kubernetes import config
        from kubernetes.config.config_exception import ConfigException
        from kubernetes.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION, KubeConfigMerger
        from yaml import YAMLError

        where = _kubeconfig_where()
        try:
            # not `list_kube_config_contexts`, which refuses a kubeconfig without a current context
            merged = KubeConfigMerger(KUBE_CONFIG_DEFAULT_LOCATION).config
            if merged is None:
                raise BadInput("no kubeconfig", where=where, do="set KUBECONFIG, or run `gameday sandbox up`")
            contexts = {node["name"]: node["context"] for node in merged["contexts"].value}
        except ConfigException as error:
            raise BadInput(
                f"no usable kubeconfig: {_without_values(error)}",
                where=where,
                do="set KUBECONFIG, or run `gameday sandbox up`",
            ) from None
        except YAMLError as error:
            line = getattr(getattr(error, "problem_mark", None), "line", None)
            raise BadInput(
                f"is not YAML: {getattr(error, 'problem', error)}",
                where=where if line is None else f"{where}:{line + 1}",
                do="mend the kubeconfig",
            ) from None
        except (TypeError, AttributeError, KeyError, ValueError, OSError) as error:
            raise BadInput(f"is not a kubeconfig: {error}", where=where, do="mend it, or set KUBECONFIG") from None
        chosen = merged.safe_get("current-context") if context is None else context
        if not chosen and context is None:
            raise BadInput("no current context", where=where, do=f"give --context, one of {_listed(contexts)}")
        if chosen not in contexts:
            raise BadInput(f"no context {chosen!r}", where=where, do=f"give one of {_listed(contexts)}")
        try:
            client = config.new_client_from_config(context=chosen)
        except (ConfigException, OSError, ValueError, TypeError) as error:
            raise BadInput(
                f"context {chosen!r} cannot be used: {_without_values(error)}", where=where, do="mend the kubeconfig"
            ) from None
        return cls(chosen, client, namespace or contexts[chosen].safe_get("namespace") or "default")

    def check(self) -> str:
        """Make sure that the cluster answers and lets us see the namespace; returns the server's version.

        Raises BadInput, within twice REACH_TIMEOUT_S, where it doesn't.
        """
        import urllib3.exceptions

        try:
            version = self.get("/version", timeout_s=REACH_TIMEOUT_S)
            self.get(PATHS["namespace"].format(namespace=self.namespace), timeout_s=REACH_TIMEOUT_S)
            for what in ("pods", "deployments"):
                self.list(what, limit=1)
        except urllib3.exceptions.HTTPError as error:
            raise BadInput(
                f"the cluster at {self._host} cannot be reached: {_reason(error)}",
                where=f"context {self.context}",
                do="check that it is up, or name another with --context",
            ) from None
        except ApiError as error:
            raise BadInput(
                str(error), where=f"context {self.context}", do="check the namespace and your access to it"
            ) from None
        return str(version.get("gitVersion", ""))

    def get(self, path: str, *, timeout_s: float = 10.0, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """GET a path; the decoded JSON. Raises ApiError, or urllib3's HTTPError where the server can't be reached."""
        response = self._request("GET", path, timeout_s=timeout_s, query=query)
        return _decoded(response)

    def read(self, path: str, *, timeout_s: float) -> tuple[int, bytes]:
        """GET a path whatever comes back: status and body. Raises urllib3's HTTPError where nothing does."""
        response = self._request("GET", path, timeout_s=timeout_s)
        return response.status, response.data

    def merge_patch(self, path: str, body: Mapping[str, Any], *, timeout_s: float = 10.0) -> dict[str, Any]:
        """PATCH a path with an RFC 7386 merge patch; the decoded JSON. Raises as `get` does."""
        response = self._request(
            "PATCH",
            path,
            timeout_s=timeout_s,
            body=json.dumps(body).encode(),
            content_type="application/merge-patch+json",
        )
        return _decoded(response)

    def delete(self, path: str, *, uid: str, timeout_s: float = 10.0) -> dict[str, Any]:
        """DELETE what has this UID at a path; the decoded JSON. Raises as `get` does: 409 where it has another UID."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}}
        body = json.dumps(options).encode()
        return _decoded(self._request("DELETE", path, timeout_s=timeout_s, body=body, content_type="application/json"))

    def list(self, what: str, limit: int | None = None) -> dict[str, Any]:
        """List what `PATHS` names, in this cluster's namespace, at most `limit` of it. Raises as `get` does."""
        return self.get(PATHS[what].format(namespace=self.namespace), query={"limit": str(limit)} if limit else None)

    def watch(self, what: str, resource_version: str, timeout_s: int) -> WatchStream:
        """Watch what `PATHS` names from a version on; the server ends the stream after `timeout_s`.

        Raises ApiError (410 where the version is too old), or urllib3's HTTPError.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(timeout_s),
        }
        response = self._request(
            "GET", PATHS[what].format(namespace=self.namespace), query=query, timeout_s=timeout_s + 5.0, stream=True
        )
        if response.status != 200:
            _decoded(response)
        return WatchStream(response)

    def _request(
        self,
        method: str,
        path: str,
        *,
        timeout_s: float,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = "",
        stream: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        import urllib3

        headers = {"Accept": "application/json", **self._authorization()}
        if content_type:
            headers["Content-Type"] = content_type
        url = f"{self._host}{path}" + (f"?{urlencode(query)}" if query else "")
        return self._pool.request(
            method,
            url,
            headers=headers,
            body=body,
            preload_content=not stream,
            retries=False,
            timeout=urllib3.Timeout(connect=min(timeout_s, REACH_TIMEOUT_S), read=timeout_s),
        )

    def _authorization(self) -> dict[str, str]:
        settings = self._client.configuration.auth_settings()
        return {s["key"]: s["value"] for s in settings.values() if s["in"] == "header" and s["value"]}


class WatchStream:
    """The messages of one watch, as they arrive. `close` may be called from another thread and ends the iteration."""

    def __init__(self, response: Any) -> None:
        self._response = response

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for line in self._response:
            if line.strip():
                yield json.loads(line)

    def close(self) -> None:
        """End the stream; a reader that is blocked on it comes back at once. Harmless on one that has ended."""
        with contextlib.suppress(ValueError, RuntimeError, OSError):  # urllib3 refuses where nothing is open any more
            self._response.shutdown()

    def __enter__(self) -> WatchStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._response.close()


def _decoded(response: urllib3.BaseHTTPResponse) -> dict[str, Any]:
    try:
        body = json.loads(response.data)
    except ValueError:
        body = {}
    if not 200 <= response.status < 300:
        message = body.get("message") if isinstance(body, dict) else None
        raise ApiError(response.status, message or response.reason or "no message")
    if not isinstance(body, dict):
        raise ApiError(response.status, "the answer is not a JSON object")
    return body


def _without_values(error: Exception) -> str:
    """The message of an error about a kubeconfig, without what it quotes of it: there may be a token in that."""
    return str(error).partition("/{")[0].partition("{")[0].strip()


def _kubeconfig_where() -> str:
    return os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "(it has none)"


def _reason(error: Exception) -> str:
    """The innermost reason of a connection error, without object addresses."""
    inner: Any = error
    while getattr(inner, "reason", None) is not None and isinstance(inner.reason, Exception):
        inner = inner.reason
    text = str(inner)
    return text.split(": ", 1)[1] if text.startswith("<") or ">: " in text else text
