"""What cannot fail over on a whole sandbox is refused. Whole failovers are in test_drills.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.drills import REGIONS
from tests.e2e.sandbox import REPOSITORY, Sandbox

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

FAILOVER = REPOSITORY / "experiments" / "region-failover.yaml"
WRITES_AND_READS = REPOSITORY / "loadprofiles" / "failover.py"
EVERYWHERE = tuple(word for region in REGIONS for word in ("--context", region))


def failover(where: Sandbox, runs: Path, *options: str) -> Any:
    """Run the drill."""
    words = ("run", str(FAILOVER), "--load", str(WRITES_AND_READS), "--runs", str(runs))
    return where.run(*words, *(options or EVERYWHERE))


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--context", "us-east-1"), 2, "at least two regions"),
        (("--context", "us-east-1", "--context", "mars"), 2, "no context 'mars'"),
    ],
)
def test_what_cannot_fail_over_is_refused_before_anything_is_touched(
    hardened: Sandbox, tmp_path: Path, options: tuple[str, ...], code: int, says: str
) -> None:
    done = failover(hardened, tmp_path / "runs", *options)
    assert done.returncode == code, done.stdout + done.stderr
    assert says in done.stderr
    assert not list((tmp_path / "runs").glob("*/manifest.json"))


def test_a_deployment_that_is_not_there_is_refused(hardened: Sandbox, tmp_path: Path) -> None:
    other = Sandbox(hardened.state, {**hardened.environment, "GAMEDAY_DEPLOYMENT": "no-such-agent"})
    done = failover(other, tmp_path / "runs")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "no deployment no-such-agent" in done.stderr
