"""Each manner comes out as it ought to, five times of five. Long: `make test-drills` runs it, `make test` does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.sandbox import POD_KILL, STEADY, objective, sandbox, verdict_of

pytestmark = [pytest.mark.drills, pytest.mark.timeout(900)]
TIMES = 5


@pytest.mark.parametrize(("manner", "verdict", "code"), [("hardened", "pass", 0), ("naive", "fail", 1)])
def test_pod_kill_comes_out_as_it_ought_to_five_times_of_five(
    tmp_path: Path, manner: str, verdict: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = []
    with sandbox(tmp_path, manner, "127.72") as running:
        for time in range(TIMES):
            runs = tmp_path / f"runs-{time}"
            done = running.run(
                "run", str(POD_KILL), "--load", str(STEADY), "--context", "us-east-1", "--runs", str(runs)
            )
            told = verdict_of(runs)
            assert (done.returncode, told["verdict"]) == (code, verdict), done.stdout + done.stderr
            failed.append(objective(told, "failed-requests")["measure"]["value"])
    with capsys.disabled():
        print(f"\n{manner}: {verdict} {TIMES} of {TIMES}, failed requests {failed}")
    assert all(count == 0 for count in failed) if verdict == "pass" else all(count > 0 for count in failed)
