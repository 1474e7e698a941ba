from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

import psutil
import pytest

from bundle.rates import RateCurve
from gameday.load.errors import BadProfile
from gameday.load.profile import ProfileFacts, check_profile, load_record
from gameday.load.schedule import Asked

OPEN = """\
from locust import task
from gameday.load.user import ArrivalUser
print("profiles may print")
class A(ArrivalUser):
    rate = 30
    timeout_s = 4
    @task
    def get(self): self.client.get("/")
class B(A):
    rate = 20
"""
CLOSED = """\
from locust import FastHttpUser, task
class C(FastHttpUser):
    @task
    def get(self): self.client.get("/")
"""


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    return tmp_path / "profile.py"


def test_an_open_loop_profile_states_its_rate_and_time_out(profile: Path) -> None:
    profile.write_text(OPEN)
    facts = check_profile(profile)
    assert (facts.model, facts.timeout_s, facts.users) == ("open", 4, ("A", "B"))
    assert facts.curves == (RateCurve.constant(30), RateCurve.constant(20))


def test_a_plain_locust_file_is_closed_and_has_no_rate(profile: Path) -> None:
    profile.write_text(CLOSED)
    facts = check_profile(profile)
    assert (facts.model, facts.curves, facts.users) == ("closed", (), ("C",))


@pytest.mark.parametrize(
    ("profile_facts", "rate_per_s", "curves"),
    [
        (("open", (RateCurve.constant(30),)), 30, ()),
        # several classes are spaced each by itself
        (
            ("open", (RateCurve.constant(30), RateCurve.constant(20))),
            None,
            (RateCurve.constant(30), RateCurve.constant(20)),
        ),
        (("open", (RateCurve(((0, 1), (9, 5))),)), None, (RateCurve(((0, 1), (9, 5))),)),
        (("closed", ()), None, ()),
    ],
)
def test_the_record_holds_a_rate_where_it_is_constant_and_else_its_curves(
    profile_facts: tuple[Literal["open", "closed"], tuple[RateCurve, ...]],
    rate_per_s: float | None,
    curves: tuple[RateCurve, ...],
) -> None:
    facts = ProfileFacts(Path("p.py"), *profile_facts, timeout_s=4, spacing="uniform", users=("A",))
    record = load_record(facts, "http://127.0.0.1:1", workers=2)
    assert (record.rate_per_s, record.curves) == (rate_per_s, curves)
    assert [worker.name for worker in record.workers] == ["load-0", "load-1"]


def test_what_was_asked_for_is_in_the_facts(profile: Path) -> None:
    profile.write_text(
        OPEN.replace("rate = 30", "rate = ramp(3, 30, over_s=9)").replace(
            "from locust import task", "from locust import task\nfrom gameday.load.shapes import ramp"
        )
    )
    facts = check_profile(profile, Asked(rate_per_s=100, duration_s=90))
    assert facts.curves[0].points == ((0, 6), (90, 60))


def test_a_duration_of_a_constant_rate_is_refused(profile: Path) -> None:
    profile.write_text(OPEN)
    with pytest.raises(BadProfile, match="--duration has no effect on a rate that never changes"):
        check_profile(profile, Asked(duration_s=90))


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("import os\ndef f(:\n", ":2: is not Python: invalid syntax"),
        ("import os\n\0", ":1: is not Python: source code string cannot contain null bytes"),
        ("import os\nimport nowhere_to_be_found\n", ":2: ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("raise SystemExit(0)\n", ":1: SystemExit: 0"),
        ("import os\n", ": has no User class, so there is nothing to send"),
        (OPEN.replace("rate = 20", "rate = -1"), ": B: a rate must be from 0 to 100000 arrivals a second, not -1"),
        ("import os\nos._exit(7)\n", ": ended the process that loaded it, with code 7: without a word"),
    ],
)
def test_what_is_wrong_with_a_profile_is_one_line_with_its_place(profile: Path, source: str, line: str) -> None:
    profile.write_text(source)
    with pytest.raises(BadProfile) as caught:
        check_profile(profile)
    assert caught.value.line().startswith(f"{profile}{line}")
    assert caught.value.exit_code == 2


def test_the_files_that_a_profile_imports_are_named(profile: Path) -> None:
    (profile.parent / "beside.py").write_text("PATH = '/'")
    profile.write_text("import json\nimport beside\n" + OPEN)
    assert check_profile(profile).modules == {"beside": profile.parent / "beside.py"}


def test_what_a_profile_starts_when_it_is_imported_is_ended(profile: Path) -> None:
    started = profile.parent / "pid"
    profile.write_text(
        f"import subprocess\nopen({str(started)!r}, 'w').write(str(subprocess.Popen(['sleep', '600']).pid))\n" + OPEN
    )
    assert check_profile(profile).users == ("A", "B")
    for _ in range(200):
        if not psutil.pid_exists(int(started.read_text())):
            return
        time.sleep(0.02)
    raise AssertionError("it still runs")


def test_a_missing_profile_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadProfile, match=r"none\.py: no such load profile; give a Locust file"):
        check_profile(tmp_path / "none.py")


def test_a_folder_is_no_profile(tmp_path: Path) -> None:
    with pytest.raises(BadProfile, match="cannot be read: Is a directory"):
        check_profile(tmp_path)


def test_the_harness_side_never_imports_locust() -> None:
    """Importing it patches sockets, threads and locks of the process that does."""
    code = (
        "import sys, gameday.load.process, gameday.load.profile, gameday.load.live; "
        "sys.exit(any(name.split('.')[0] in ('locust', 'gevent') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
