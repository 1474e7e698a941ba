"""A thin asyncio client of one Kubernetes API server."""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any

import aiohttp

from sandbox.client.errors import Unreachable, Untrusted, error_from_status
from sandbox.client.resources import KubeObject, Resource, key_of

REQUEST_TIMEOUT_S = 15.0
WATCH_TIMEOUT_S = 300
MERGE_PATCH = "application/merge-patch+json"


class ApiClient:
    """One API server, spoken to with a bearer token over TLS. Use as an async context manager.

    The server's certificate must be signed by the authority in `ca_file`, or in the text `ca_pem` in place of a file.

    Every method raises `ApiError` (or a child of it); nothing is retried here.
    """

    def __init__(self, base_url: str, token: str, ca_file: str | None, *, ca_pem: str | None = None) -> None:
        self.base_url = base_url.rstrip("/")
        self._token = token
        self._ssl = ssl.create_default_context(cafile=ca_file, cadata=ca_pem)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> ApiClient:
        # limit=0: every watch holds a connection for minutes, so a bounded pool would starve the requests.
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {self._token}", "User-Agent": "gameday-sandbox"},
            connector=aiohttp.TCPConnector(limit=0, ssl=self._ssl),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    @contextlib.asynccontextmanager
    async def _answer(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
        timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            raise RuntimeError("ApiClient is used outside its `async with`")
        try:
            async with self._session.request(
                method,
                self.base_url + path,
                params=params,
                data=None if body is None else json.dumps(body).encode(),
                headers=None if body is None else {"Content-Type": content_type},
                timeout=aiohttp.ClientTimeout(total=timeout_s),
            ) as response:
                if response.status >= 400:
                    raise error_from_status(response.status, await response.read())
                yield response
        except aiohttp.ClientConnectorCertificateError as error:
            raise Untrusted(f"{self.base_url}: {error}") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(f"{method} {self.base_url}{path}: {type(error).__name__} {error}") from error

    async def _json(self, method: str, path: str, **options: Any) -> KubeObject:
        async with self._answer(method, path, **options) as response:
            answer: KubeObject = json.loads(await response.read())
            return answer

    async def get(self, resource: Resource, name: str, namespace: str = "", *, subresource: str = "") -> KubeObject:
        """One object by name, or a subresource of it."""
        return await self._json("GET", resource.path(namespace, name, subresource))

    async def list(
        self, resource: Resource, namespace: str = "", *, label_selector: str = "", field_selector: str = ""
    ) -> KubeObject:
        """The List object of a resource, in one namespace or in all; its items get `apiVersion` and `kind`."""
        params = {"labelSelector": label_selector, "fieldSelector": field_selector}
        answer = await self._json("GET", resource.path(namespace), params={k: v for k, v in params.items() if v})
        # A server leaves both out in lists; an object should read the same whether it was listed or watched.
        answer["items"] = [
            {"apiVersion": resource.api_version, "kind": resource.kind, **item} for item in answer["items"] or []
        ]
        return answer

    async def create(
        self, resource: Resource, obj: KubeObject, *, namespace: str = "", name: str = "", subresource: str = ""
    ) -> KubeObject:
        """Create an object, or post to a subresource of `name` (a pod's `binding`)."""
        namespace = namespace or obj["metadata"].get("namespace", "")
        body = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
        return await self._json("POST", resource.path(namespace, name, subresource), body=body)

    async def update(self, resource: Resource, obj: KubeObject, *, subresource: str = "") -> KubeObject:
        """Replace an object; `Conflict` if its resourceVersion isn't the newest."""
        namespace, name = key_of(obj)
        body = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
        return await self._json("PUT", resource.path(namespace, name, subresource), body=body)

    async def update_status(self, resource: Resource, obj: KubeObject) -> KubeObject:
        """Replace an object's status; the rest of `obj` is ignored by the server, except its resourceVersion."""
        return await self.update(resource, obj, subresource="status")

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: object,
        namespace: str = "",
        *,
        subresource: str = "",
    ) -> KubeObject:
        """Change part of an object by a merge patch: a null takes a field away, and a list is replaced as a whole."""
        path = resource.path(namespace, name, subresource)
        return await self._json("PATCH", path, body=patch, content_type=MERGE_PATCH)

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str = "",
        *,
        grace_period_s: int | None = None,
        uid: str | None = None,
        propagation: str | None = None,
    ) -> KubeObject:
        """Delete an object; with `uid`, `Conflict` where another object has taken the name since."""
        options: KubeObject = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if grace_period_s is not None:
            options["gracePeriodSeconds"] = grace_period_s
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        if propagation is not None:
            options["propagationPolicy"] = propagation
        return await self._json("DELETE", resource.path(namespace, name), body=options)

    async def watch(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        resource_version: str,
        label_selector: str = "",
        field_selector: str = "",
    ) -> AsyncIterator[tuple[str, KubeObject]]:
        """(event type, object) from a version on, bookmarks included, until the server ends the watch.

        Raises `Gone` when the version is too old, `Unreachable` when the connection breaks.
        """
        params = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(WATCH_TIMEOUT_S),
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
        }
        async with self._answer(
            "GET",
            resource.path(namespace),
            params={k: v for k, v in params.items() if v},
            timeout_s=WATCH_TIMEOUT_S + REQUEST_TIMEOUT_S,
        ) as response:
            pending = b""
            # Not `readline`: it refuses lines beyond its buffer, and an object may be larger.
            async for chunk in response.content.iter_any():
                *lines, pending = (pending + chunk).split(b"\n")
                for line in filter(None, lines):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        status = event["object"]
                        raise error_from_status(status.get("code", 500), json.dumps(status).encode())
                    yield event["type"], event["object"]
