from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from sandbox.errors import SandboxBroken
from sandbox.node.addresses import PodAddresses


def test_an_address_rests_until_all_others_had_their_turn() -> None:
    addresses = PodAddresses(IPv4Network("127.92.32.0/29"))
    first = addresses.take()
    addresses.give_back(first)
    assert first == "127.92.32.1"
    assert [addresses.take() for _ in range(6)] == [f"127.92.32.{last}" for last in (2, 3, 4, 5, 6, 1)]


def test_no_address_is_given_twice() -> None:
    addresses = PodAddresses(IPv4Network("127.92.32.0/30"))
    addresses.take(), addresses.take()
    with pytest.raises(SandboxBroken, match="all 2 pod addresses are in use"):
        addresses.take()
    addresses.give_back("127.92.32.1")
    assert addresses.take() == "127.92.32.1"
