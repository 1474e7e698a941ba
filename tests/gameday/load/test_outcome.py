from __future__ import annotations

import errno
import socket
import ssl

import gevent
import pytest
import requests
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError
from geventhttpclient.useragent import BadStatusCode, RetriesExceeded

from gameday.load.inflight import Abandoned, Unsent
from gameday.load.outcome import error_text
from gameday.wording import MAX_LENGTH


def wrapped(cause: BaseException) -> Exception:
    """As geventhttpclient reports a time-out."""
    return RetriesExceeded("http://x/", 0, original=cause)


def chained(cause: Exception) -> Exception:
    """As requests reports what the socket said."""
    try:
        try:
            raise cause
        except OSError:
            raise requests.ConnectionError("Max retries exceeded with url: /17") from None
    except requests.ConnectionError as error:
        return error


@pytest.mark.parametrize(
    ("exception", "status", "text"),
    [
        (None, 200, ""),
        (None, 404, ""),  # the profile said that it is a success
        (BadStatusCode("http://x/", code=503), 503, "HTTP 503"),
        (requests.HTTPError("503 Server Error for url /17"), 503, "HTTP 503"),
        (TimeoutError(), 0, "timeout"),
        (gevent.Timeout(10), 0, "timeout"),
        (wrapped(gevent.Timeout(10)), 0, "timeout"),
        (wrapped(TimeoutError("timed out")), 0, "timeout"),
        (requests.ReadTimeout(), 0, "timeout"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), 0, "connection refused"),
        (chained(ConnectionRefusedError(errno.ECONNREFUSED, "refused")), 0, "connection refused"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), 0, "connection reset"),
        (wrapped(BrokenPipeError(errno.EPIPE, "pipe")), 0, "connection reset"),
        (OSError(errno.EHOSTUNREACH, "no route"), 0, "host unreachable"),
        (OSError(errno.EMFILE, "files"), 0, "too many open files"),
        (HTTPConnectionClosed("connection closed."), 0, "connection closed"),
        (HTTPParseError("bad"), 0, "malformed response"),
        (ssl.SSLError("handshake"), 0, "TLS error"),
        (socket.gaierror(-2, "Name or service not known"), 0, "name not resolved"),
        (Unsent("the pool is full"), 0, "unsent: the pool is full"),
        (Abandoned("the load was stopped"), 0, "abandoned: the load was stopped"),
        (ValueError("no\n agents"), 200, "no agents"),  # what a profile gave to `response.failure`
        (ValueError(), 200, "ValueError"),
        (ValueError("x" * 500), 200, "x" * MAX_LENGTH),
    ],
)
def test_the_same_cause_has_the_same_text(exception: BaseException | None, status: int, text: str) -> None:
    assert error_text(exception, status) == text
