"""A small HTTP/1.1 server for JSON services on the standard library: routes, keep-alive, and a stop that loses nothing.

One thread per connection: the balancer in front keeps few connections open, and a request that burns CPU delays the
health check by some milliseconds instead of blocking it.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer

Json = Mapping[str, object]
STOP_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Request:
    """What a handler gets: the named parts of the path, the headers (lower-case names) and the JSON body."""

    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Response:
    """What a handler gives back: sent as JSON, or as it is where it is a text, of `content_type`."""

    body: Json | str
    status: HTTPStatus = HTTPStatus.OK
    content_type: str = "application/json"


class HttpError(Exception):
    """A handler's refusal: becomes `{"error": message}` under that status."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


Handler = Callable[[Request], Response]


@dataclass(frozen=True)
class Route:
    """A method and a path, whose `{name}` parts become the request's `params`, and who answers."""

    method: str
    path: str
    handler: Handler

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The named parts where method and path match, else None."""
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path)
        found = re.fullmatch(pattern, path) if method == self.method else None
        return found.groupdict() if found else None


def respond(routes: Sequence[Route], method: str, target: str, headers: Mapping[str, str], raw: bytes) -> Response:
    """Find the route and ask its handler; every failure becomes a JSON answer of its own status."""
    path = target.partition("?")[0]
    try:
        for route in routes:
            params = route.match(method, path)
            if params is not None:
                return route.handler(Request(params, headers, _parse(raw)))
        raise HttpError(HTTPStatus.NOT_FOUND, f"nothing at {method} {path}")
    except HttpError as error:
        return Response({"error": str(error)}, error.status)


def _parse(raw: bytes) -> Json:
    try:
        body = json.loads(raw or b"{}")
    except ValueError as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise HttpError(HTTPStatus.BAD_REQUEST, "the body is not a JSON object")
    return body


class Server(ThreadingHTTPServer):
    """Serves routes on one address. Listens from the moment it is made; `serve_forever` answers."""

    daemon_threads = True
    # http.server's backlog of 5 would refuse connections in a burst.
    request_queue_size = 128

    def __init__(self, host: str, port: int, routes: Sequence[Route]) -> None:
        self.routes = routes
        self.draining = False
        self._busy = 0
        self._idle = threading.Condition()
        super().__init__((host, port), _Connection)

    def server_bind(self) -> None:
        """Bind without http.server's look-up of the host's name, which may ask a name server."""
        TCPServer.server_bind(self)

    def answer(self, method: str, target: str, headers: Mapping[str, str], raw: bytes) -> Response:
        """Answer one request."""
        return respond(self.routes, method, target, headers, raw)

    def begin(self) -> None:
        """A request came in."""
        with self._idle:
            self._busy += 1

    def end(self) -> None:
        """Its answer is on the wire."""
        with self._idle:
            self._busy -= 1
            self._idle.notify_all()

    def start_drain(self, drain_s: float) -> None:
        """End `serve_forever` after `drain_s` more seconds of serving, in which each answer closes its connection."""
        if not self.draining:
            self.draining = True
            # A thread of its own: this is called by a signal handler, on top of the very loop that is to end.
            threading.Timer(drain_s, self.shutdown).start()

    def finish(self) -> None:
        """Stop listening and wait for the answers under way."""
        self.server_close()
        with self._idle:
            self._idle.wait_for(lambda: self._busy == 0, STOP_TIMEOUT_S)


class _Connection(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    # Header and body leave in one segment: in two, Nagle and delayed ACK together cost 40 ms an answer.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.server.begin()
        try:
            self._answer()
        finally:
            self.server.end()

    do_POST = do_GET

    def _answer(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        response = self.server.answer(self.command, self.path, headers, raw)
        body = (response.body if isinstance(response.body, str) else json.dumps(response.body)).encode()
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(body)))
        if self.server.draining:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """No access log: at load it would be the service's main work."""
