"""How a request came out, as a short text that is the same for the same cause."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator

from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError

from gameday.load.inflight import Abandoned, Unsent
from gameday.wording import reason

_BY_TYPE: tuple[tuple[type[BaseException], str], ...] = (
    (TimeoutError, "timeout"),
    (HTTPConnectionClosed, "connection closed"),
    (HTTPParseError, "malformed response"),
    (ssl.SSLError, "TLS error"),
    (socket.gaierror, "name not resolved"),
)
_BY_ERRNO = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.EPIPE: "connection reset",
    errno.EHOSTUNREACH: "host unreachable",
    errno.ENETUNREACH: "host unreachable",
    errno.EMFILE: "too many open files",
    errno.EADDRNOTAVAIL: "no free local port",
}


def error_text(exception: BaseException | None, status: int) -> str:
    """The `error` of a row: empty for a success, else the cause.

    exception: what Locust reports of the request. status: its HTTP status, 0 where there was no response.
    """
    if exception is None:
        return ""
    if isinstance(exception, Unsent | Abandoned):
        return str(exception)
    for cause in _causes(exception):
        # gevent's and requests' time-outs are no TimeoutError, and neither library need be imported to know them.
        if type(cause).__name__.endswith(("Timeout", "TimeoutError")):
            return "timeout"
        for kind, text in _BY_TYPE:
            if isinstance(cause, kind):
                return text
        if isinstance(cause, OSError) and cause.errno in _BY_ERRNO:
            return _BY_ERRNO[cause.errno]
    if status >= 400:
        return f"HTTP {status}"
    return reason(str(exception)) or type(exception).__name__


def _causes(exception: BaseException) -> Iterator[BaseException]:
    """The exception and what led to it, as geventhttpclient (`original`) and Python chain them."""
    seen: set[int] = set()
    queue: list[BaseException | None] = [exception]
    while queue:
        cause = queue.pop(0)
        if cause is not None and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            queue += [getattr(cause, "original", None), cause.__cause__, cause.__context__]
