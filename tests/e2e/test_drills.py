"""Every drill comes out in each manner as it ought to, and leaves every cluster as it was.

Long: `make test-drills` runs it once each, REPEAT=5 five times in a row; `make test` does not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bundle.reader import Bundle
from tests.e2e.drills import CASES, Case
from tests.e2e.inventory import elections, inventory, settled
from tests.e2e.sandbox import Sandbox, objective, sandbox, verdict_of

pytestmark = [pytest.mark.drills, pytest.mark.timeout(600)]

TIMES = range(int(os.environ.get("REPEAT", "1")))
LOG_LATE_NS = 5_000_000
"""An agent writes its line just after it became leader, by a clock of its own."""


@pytest.fixture(scope="module", params=["hardened", "naive"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Sandbox]]:
    """A sandbox of each manner."""
    with sandbox(tmp_path_factory.mktemp(request.param), request.param, "127.72") as up:
        yield request.param, up


@pytest.mark.parametrize("_time", TIMES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_drill_passes_on_hardened_and_fails_on_naive_for_what_was_built_in(
    running: tuple[str, Sandbox], case: Case, _time: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manner, up = running
    where = Sandbox(up.state, {**up.environment, **case.environment})
    before = inventory(where)
    done = where.run(*case.words, "--runs", str(tmp_path), timeout_s=540)
    verdict = verdict_of(tmp_path)
    with capsys.disabled():
        print(f"\n{manner} {case.name}: {verdict['verdict']} {', '.join(told(verdict))}")
    if manner == "hardened":
        assert (done.returncode, verdict["verdict"]) == (0, "pass"), done.stdout + done.stderr
    else:
        assert (done.returncode, verdict["verdict"]) == (1, "fail"), done.stdout + done.stderr
        assert {name: objective(verdict, name)["verdict"] for name in case.naive} == case.naive, done.stdout
    assert settled(where, before) == before
    if case.elects:
        agrees_with_the_agents(where, Bundle.open(tmp_path / "latest"))


def told(verdict: dict[str, Any]) -> list[str]:
    """Each objective in a word, with its value."""
    return [f"{each['name']} {each['verdict']} ({each['measure']['value']})" for each in verdict["objectives"]]


def agrees_with_the_agents(where: Sandbox, bundle: Bundle) -> None:
    """Each leader that was polled became one within its stated bounds, by the log of the agent itself.

    Those of the region that was lost took their logs with them; the one that followed is there.
    """
    said = elections(where)
    assert len({term for _, term in said}) == len(said), "two leaders of one term"
    spare_ns = abs(bundle.manifest.clock_drift_ns or 0) + LOG_LATE_NS
    compared = 0
    for entry in bundle.timeline:
        term = entry.attributes.get("term")
        if entry.kind == "leader" and entry.event == "seen" and isinstance(term, int):
            at_ns = said.get((entry.uid, term))
            compared += at_ns is not None
            assert at_ns is None or entry.earliest_ns - spare_ns <= at_ns <= entry.latest_ns + spare_ns, entry
    assert compared
