from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from sandbox.apiserver.addresses import AddressPool

NETWORK = IPv4Network("127.91.48.0/30")


def test_an_address_given_back_is_not_at_once_given_out_again() -> None:
    pool = AddressPool(NETWORK)
    assert pool.allocate(set()) == "127.91.48.1"
    assert pool.allocate(set()) == "127.91.48.2"
    assert pool.allocate({"127.91.48.2"}) == "127.91.48.1"


def test_a_full_network_has_no_address() -> None:
    assert AddressPool(NETWORK).allocate({"127.91.48.1", "127.91.48.2"}) is None


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("127.91.48.2", None),
        ("127.91.48.1", "failed to allocate IP 127.91.48.1: provided IP is already allocated"),
        ("10.0.0.1", "failed to allocate IP 10.0.0.1: the provided network does not match the current range"),
        ("one", "must be a valid IP address"),
    ],
)
def test_an_address_asked_for_is_had_or_refused_with_the_reason(asked: str, why: str | None) -> None:
    assert AddressPool(NETWORK).refusal(asked, {"127.91.48.1"}) == why
