from __future__ import annotations

import socket
from typing import Any

import gevent
import pytest
from gevent.resolver.thread import Resolver

from gameday.load.resolver import AddressResolver


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The hosts that were looked up in a thread."""
    looked_up: list[Any] = []

    def in_thread(_: Resolver, host: Any, *rest: Any) -> list[Any]:
        looked_up.append(host)
        return socket.getaddrinfo(host, *rest)

    monkeypatch.setattr(Resolver, "getaddrinfo", in_thread)
    return looked_up


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", b"127.0.0.1"])
def test_an_address_is_resolved_without_a_thread_to_what_python_makes_of_it(host: Any, threads: list[Any]) -> None:
    assert AddressResolver().getaddrinfo(host, 80, type=socket.SOCK_STREAM) == [
        (family, kind, protocol, name, address)
        for family, kind, protocol, name, address in socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)
    ]
    assert threads == []


def test_a_name_is_looked_up_in_a_thread(threads: list[Any]) -> None:
    assert AddressResolver().getaddrinfo("localhost", 80)
    assert threads == ["localhost"]


def test_a_name_that_nobody_has_is_pythons_error() -> None:
    with pytest.raises(socket.gaierror):
        gevent.spawn(AddressResolver().getaddrinfo, "nowhere.invalid", 80).get(timeout=20)
