from __future__ import annotations

import pytest

from sandbox.service.timing import Timing


@pytest.mark.parametrize(("heartbeat_s", "election_s"), [(0.1, 0.3), (0.1, 0.1), (0, 1), (-1, 1)])
def test_an_election_that_a_late_heartbeat_would_call_is_refused(heartbeat_s: float, election_s: float) -> None:
    with pytest.raises(ValueError, match="more than 3 must fit"):
        Timing(heartbeat_s, election_s)


def test_heartbeats_may_be_a_little_less_than_a_third_of_the_time_until_an_election() -> None:
    assert Timing(0.1, 0.31).election_s == 0.31
