"""The HTTP side of one region: who may ask, which part answers, and the answers that stream."""

from __future__ import annotations

import hmac
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from sandbox.apiserver import discovery, handlers, logs, tables
from sandbox.apiserver import route as routes
from sandbox.apiserver.negotiation import Form, negotiate
from sandbox.apiserver.objects import KubeObject
from sandbox.apiserver.registry import Registry
from sandbox.apiserver.route import Route
from sandbox.apiserver.status import (
    BadRequest,
    Expired,
    MethodNotAllowed,
    NoSuchResource,
    NotServed,
    StatusError,
    Unauthorized,
)
from sandbox.apiserver.store import EventType
from sandbox.apiserver.watch import Event, Watch, WatchRequest

OPEN_PATHS = ("/healthz", "/livez", "/readyz", "/version")
"""What is answered without a token, as a real server does by default."""
_NOT_SERVED = (("attach",), ("exec",), ("portforward",), ("proxy",))
_OPENAPI_V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_LONGEST_BODY = 3 * 1024 * 1024
_SHUTDOWN_GRACE_S = 0.5
_SHORTEST_WATCH_S, _LONGEST_WATCH_S = 1800, 3600


class ApiServer:
    """Serves one region's registry; `token` is the one bearer token that is let in."""

    def __init__(self, registry: Registry, token: str) -> None:
        self._registry = registry
        self._token = token
        self._watches: set[Watch] = set()
        self._agents: ClientSession | None = None

    def runner(self) -> web.AppRunner:
        """Return what serves the application: a request whose client leaves ends, and closing ends all streams."""
        return web.AppRunner(self.app(), access_log=None, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_GRACE_S)

    @property
    def open_watches(self) -> int:
        """How many watches are being served."""
        return len(self._watches)

    def app(self) -> web.Application:
        """Return the application; closing it ends the open watches and logs."""
        app = web.Application(client_max_size=_LONGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._handle)
        app.on_shutdown.append(self._end_streams)
        app.cleanup_ctx.append(self._agent_session)
        return app

    @asynccontextmanager
    async def _agent_session(self, _: web.Application) -> AsyncIterator[None]:
        headers = {"Authorization": f"Bearer {self._token}"}
        async with ClientSession(headers=headers, timeout=ClientTimeout(total=None, connect=5)) as session:
            self._agents = session
            yield

    async def _end_streams(self, _: web.Application) -> None:
        for watch in self._watches:
            watch.end()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._answer(request)
        except StatusError as error:
            return handlers.json_response(error.body(), error.code)
        except web.HTTPRequestEntityTooLarge as error:
            return handlers.json_response(StatusError(error.text or "request entity too large").body(), error.status)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path.rstrip("/")
        if path not in OPEN_PATHS:
            self._authenticate(request)
        if path in OPEN_PATHS[:3]:
            return web.Response(text="ok")
        segments = tuple(path.split("/")[1:])
        route = routes.parse(self._registry.catalogue, segments)
        if route is None:
            return self._describe(request, segments)
        if route.subresource == "log" and request.method == "GET":
            return await self._log(route, request)
        if request.method == "GET" and not route.name and handlers.flag(request.query, "watch"):
            if route.kind.computed:
                raise MethodNotAllowed
            return await self._watch(route, request)
        return await handlers.answer(self._registry, route, request)

    def _authenticate(self, request: web.Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.encode(), self._token.encode()):
            raise Unauthorized("Unauthorized")

    def _describe(self, request: web.Request, segments: tuple[str, ...]) -> web.Response:
        catalogue = self._registry.catalogue
        if segments == ("openapi", "v2"):
            # kubectl checks a `kind: List` by this document and not by v3. An empty one leaves the checking of the
            # list's items to the server, which gets them one by one.
            return web.Response(body=b"", content_type=_OPENAPI_V2_PROTOBUF)
        if segments[-1:] in _NOT_SERVED and "pods" in segments:
            raise NotServed(f"the sandbox does not serve {segments[-1]}")
        found = discovery.document(catalogue, segments) if request.method == "GET" else None
        if found is None and discovery.is_served(catalogue, segments):
            raise NoSuchResource
        if found is None:
            return web.Response(text="404 page not found\n", status=404)
        return handlers.json_response(found)

    async def _watch(self, route: Route, request: web.Request) -> web.StreamResponse:
        form = negotiate(request.headers.get("Accept", ""))
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        try:
            watch = Watch(self._registry.store, _watch_request(route, request))
        except Expired as error:
            await response.prepare(request)
            await response.write(_frame(Event(EventType.ERROR, error.body())))
            return response
        self._watches.add(watch)
        try:
            await response.prepare(request)
            include = request.query.get("includeObject") or "Metadata"
            first = True
            async for event in watch.events():
                await response.write(_frame(self._shaped(route, event, form, include, first)))
                first = False
        except (ConnectionResetError, ClientError):
            pass  # the client is gone, and whatever it missed it will ask for again
        finally:
            self._watches.discard(watch)
            watch.close()
        return response

    def _shaped(self, route: Route, event: Event, form: Form, include: str, first: bool) -> Event:
        if form is Form.TABLE:
            metadata = {"resourceVersion": event.object["metadata"]["resourceVersion"]}
            objects = [] if event.type is EventType.BOOKMARK else [event.object]
            shaped = tables.table(route.kind, objects, self._registry.clock_ns(), include, metadata)
            if event.type is EventType.BOOKMARK:
                empty = [""] * len(shaped["columnDefinitions"])
                shaped["rows"] = [{"cells": empty, "object": tables.partial(event.object)}]
            if not first:
                shaped["columnDefinitions"] = None
            return Event(event.type, shaped)
        if form in (Form.PARTIAL, Form.PARTIAL_LIST):
            return Event(event.type, tables.partial(event.object))
        return event

    async def _log(self, route: Route, request: web.Request) -> web.StreamResponse:
        registry, catalogue = self._registry, self._registry.catalogue
        pod = registry.get(route.kind, route.key)
        container = logs.container_of(pod, request.query.get("container", ""))
        node_name = pod["spec"].get("nodeName")
        if not node_name:
            return web.Response(text="")
        url = logs.agent_url(registry.get(catalogue.named("Node"), ("", node_name))) + logs.log_path(pod, container)
        assert self._agents is not None
        try:
            async with self._agents.get(url, params=logs.agent_query(request.query)) as answer:
                if answer.status >= 400:
                    raise _refused_by_agent(answer.status, (await answer.text()).strip())
                response = web.StreamResponse(headers={"Content-Type": "text/plain"})
                response.enable_chunked_encoding()
                await response.prepare(request)
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
        except ClientError as error:
            raise StatusError(f'Get "{url}": {error}') from error
        return response


def _refused_by_agent(status: int, says: str) -> StatusError:
    error = BadRequest(says) if status == 400 else StatusError(says)
    error.code = status
    return error


def _watch_request(route: Route, request: web.Request) -> WatchRequest:
    query = request.query
    handlers.check_list_options(query, watching=True)
    asked = query.get("timeoutSeconds", "")
    timeout_s = int(asked) if asked.isdecimal() and int(asked) else random.randint(_SHORTEST_WATCH_S, _LONGEST_WATCH_S)
    return WatchRequest(
        route.kind,
        route.namespace,
        handlers.selection(route, query),
        query.get("resourceVersion", ""),
        handlers.flag(query, "allowWatchBookmarks"),
        handlers.flag(query, "sendInitialEvents"),
        timeout_s,
    )


def _frame(event: Event) -> bytes:
    body: KubeObject = {"type": event.type.value, "object": event.object}
    return handlers.encode(body) + b"\n"
