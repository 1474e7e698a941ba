from __future__ import annotations

from itertools import combinations

import pytest

from sandbox.errors import BadNetwork
from sandbox.network import REGIONS, Address, Network


def test_the_regions_lie_where_the_address_plan_says() -> None:
    east, west, central = Network("127.64").regions
    assert [east.name, west.name, central.name] == list(REGIONS)
    assert (east.api, east.agent) == (Address("127.64.1.1", 6443), Address("127.64.1.2", 10250))
    assert east.prometheus == Address("127.64.1.3", 9090)
    assert (str(west.pods), str(west.services)) == ("127.64.64.0/20", "127.64.80.0/20")
    assert (str(central.pods), str(central.services)) == ("127.64.96.0/20", "127.64.112.0/20")
    assert west.node_name == "us-west-2-node-1"
    assert central.api_url == "https://127.64.3.1:6443"


def test_no_two_networks_of_a_sandbox_overlap() -> None:
    network = Network("127.95")
    ranges = [each for region in network.regions for each in (region.pods, region.services)]
    assert not any(one.overlaps(other) for one, other in combinations(ranges, 2))
    single = [network.entry.host, *(region.api.host for region in network.regions)]
    assert not any(host in {str(address) for address in each} for each in ranges for host in single)


def test_the_entry_belongs_to_no_region() -> None:
    assert str(Network("127.65").entry) == "127.65.0.1:8080"
    assert str(Network("127.65").envoy_admin) == "127.65.0.1:9901"


def test_each_regions_prometheus_is_named_as_gameday_reads_it() -> None:
    assert Network("127.65").prometheus.split()[:2] == [
        "us-east-1=http://127.65.1.3:9090",
        "us-west-2=http://127.65.2.3:9090",
    ]


@pytest.mark.parametrize("prefix", ["127.0", "127.256", "127.064", "10.1", "127.64.1", "127.", "", "127.64\n"])
def test_a_prefix_that_is_no_loopback_network_of_its_own_is_refused(prefix: str) -> None:
    with pytest.raises(BadNetwork, match=r"give 127\.N with N from 1 to 255"):
        Network(prefix)
