"""`ArrivalUser` under plain `locust -f`, with nothing of gameday around it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.gameday.load.target import Target

PROFILE = """\
from locust import task
from gameday.load.user import ArrivalUser

class Many(ArrivalUser):
    rate = 3
    def on_start(self): self.client.get("/login")
    @task
    def get(self): self.client.get("/many")

class Few(ArrivalUser):
    rate = 1
    @task
    def get(self): self.client.get("/few")
    def on_stop(self): self.client.get("/logout")
"""


def locust(profile: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "locust", "-f", str(profile), "--headless", "--only-summary", *arguments]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "profile.py"
    path.write_text(PROFILE)
    return path


def test_the_rate_is_that_of_all_users_together_whatever_their_number(profile: Path, target: Target) -> None:
    """Seven users asked for, 80 arrivals a second for two seconds: 160, and 560 if each user took its share.

    Bounds are a factor of two: Locust starts the two seconds and the users at different moments. The classes share the
    rate 3 to 1, to within the arrival that each schedule can be off and 100 ms between their starts.
    """
    done = locust(profile, "-H", target.url, "--users", "7", "--rate", "80", "--run-time", "2s", "--stop-timeout", "3")
    assert done.returncode == 0, done.stderr
    assert "--users 7 has no effect" in done.stderr
    many, few = target.hits["GET /many"], target.hits["GET /few"]
    assert 80 <= many + few <= 320
    assert abs(many - 3 * few) <= 2 + 60 * 0.1
    assert 1 <= target.hits["GET /login"] < many / 2, "once for each slot, not for each arrival"
    assert 1 <= target.hits["GET /logout"] < few / 2


def test_a_rate_that_makes_no_sense_is_refused_on_the_command_line(profile: Path) -> None:
    done = locust(profile, "--rate=-5")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith(
        "argument --rate: a rate must be from 0 to 100000 arrivals a second, not -5"
    )
