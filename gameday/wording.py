"""Names and reasons of a load, ours or another generator's, as a bundle keeps them: without what may be a secret."""

from __future__ import annotations

import re
from functools import lru_cache

MAX_LENGTH = 80

_CREDENTIALS = re.compile(r"//[^/?#\s]*@")
_AFTER_PATH = re.compile(r"(?<=\S)(?:[?#]|;\w+=)\S*")
_AFTER_PATH_IN_QUOTES = re.compile(r"(?<=[^\s\"])(?:[?#]|;\w+=)[^\s\"]*")

_CAUSES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), text)
    for pattern, text in (
        (r"refused", "connection refused"),
        (r"time[d]?[ -]?out|timeout|deadline exceeded", "timeout"),
        (
            r"no such host|unknown ?host|name or service not known|name resolution|lookup |not resolve",
            "name not resolved",
        ),
        (r"no route to host|unreachable", "host unreachable"),
        (r"too many open files", "too many open files"),
        (r"cannot assign requested address|address already in use", "no free local port"),
        (r"reset|broken pipe", "connection reset"),
        (r"x509|\btls\b|\bssl|certificate", "TLS error"),
        (r"malformed|bad status line|protocol error", "malformed response"),
        (r"\beof\b|closed|NoHttpResponse|did not respond|RemoteDisconnected", "connection closed"),
    )
)


@lru_cache(maxsize=1 << 12)
def endpoint(text: str) -> str:
    """The name of what was asked, on one line, without credentials, query, fragment and parameters of its URL."""
    return " ".join(_AFTER_PATH.sub("", _CREDENTIALS.sub("//", text)).split())


@lru_cache(maxsize=1 << 12)
def cause(text: str) -> str:
    """Why a request failed: where its generator's text is of a known cause, its word in `load/outcome.py`."""
    for pattern, known in _CAUSES:
        if pattern.search(text):
            return known
    return reason(text)


def reason(text: str) -> str:
    """A text with URLs in it, short, on one line, without the credentials, query, fragment and parameters of these."""
    return " ".join(_AFTER_PATH_IN_QUOTES.sub("", _CREDENTIALS.sub("//", text)).split())[:MAX_LENGTH]
