from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gameday.load.profile import check_profile
from tests.gameday.load.target import Target

STEADY = Path(__file__).parents[2] / "loadprofiles" / "steady.py"


@pytest.fixture
def target() -> Iterator[Target]:
    server = Target()
    yield server
    server.close()


def test_steady_is_an_open_load_of_a_hundred_a_second() -> None:
    facts = check_profile(STEADY)
    assert (facts.model, facts.rate_per_s, facts.timeout_s) == ("open", 100, 10)


def test_steady_sends_mixed_traffic_and_writes_with_keys_of_their_own(target: Target) -> None:
    """Under plain Locust, for two seconds at its own rate; a factor of two either way is the machine's."""
    command = [sys.executable, "-m", "locust", "-f", str(STEADY), "--headless", "--only-summary", "-H", target.url]
    done = subprocess.run(
        [*command, "--run-time", "2s", "--stop-timeout", "3"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert 100 <= target.hits.total() <= 400
    writes = {f"POST /api/v1/agents/{agent}/tasks" for agent in ("navigator", "analyst", "reviewer")}
    reads = {"GET /api/v1/agents", "GET /api/v1/dashboard"}
    assert reads < set(target.hits) <= reads | writes | {"POST /api/v1/evaluations"}
    assert target.hits["GET /api/v1/agents"] > target.hits["GET /api/v1/dashboard"] > 0
    assert len(target.keys) == len(set(target.keys)) == sum(target.hits[path] for path in writes) > 0
