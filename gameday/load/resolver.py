"""Names are looked up in a thread, as gevent does; an address is no name, and needs no thread.

A thread has to wait for its turn to run Python, which is up to 5 ms where the event loop is busy: a connection to an
address would take that long, more arrivals would find no idle connection meanwhile, and open more.
"""

from __future__ import annotations

import _socket
from typing import Any

import gevent
from gevent.resolver.thread import Resolver


class AddressResolver(Resolver):  # type: ignore[misc]  # gevent carries no types for it
    """gevent's default resolver, but for addresses."""

    def getaddrinfo(
        self,
        host: str | bytes | None,
        port: str | int | None,
        family: int = 0,
        type: int = 0,  # the name that callers may use
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        """As `socket.getaddrinfo`. Raises socket.gaierror."""
        try:
            # AI_NUMERICHOST asks nobody, so that it never blocks
            return _socket.getaddrinfo(host, port, family, type, proto, flags | _socket.AI_NUMERICHOST)
        except _socket.gaierror:
            found: list[Any] = super().getaddrinfo(host, port, family, type, proto, flags)
            return found


def install() -> None:
    """Look up the names and addresses of this thread so from now on."""
    gevent.get_hub().resolver = AddressResolver()
