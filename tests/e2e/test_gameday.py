"""A game day on a whole sandbox: two drills with their verdicts, and one that is interrupted."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.e2e.sandbox import REPOSITORY, Sandbox
from tests.gameday.days import item, plan, write

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

QUICK = {"warm_up_s": 3, "baseline_s": 6, "cool_down_s": 2}


def weekly(folder: Path) -> str:
    """A plan of two short drills in two regions."""
    first = item("first", contexts=["us-east-1"], severity=2, **QUICK)
    return str(write(folder, plan(first, item("second", contexts=["eu-central-1"], **QUICK))))


def record(runs: Path) -> dict[str, Any]:
    """The record of the newest game day."""
    told: dict[str, Any] = json.loads((runs / "latest-gameday" / "gameday.json").read_text())
    return told


def test_two_drills_run_in_order_and_make_up_a_pass_rate(hardened: Sandbox, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    previewed = hardened.run("plan", weekly(tmp_path), "--runs", str(runs))
    assert previewed.returncode == 0, previewed.stderr
    assert "orchestration-agent 3/3" in previewed.stdout
    assert not runs.exists()
    done = hardened.run("run", weekly(tmp_path), "--runs", str(runs))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("✓ PASS  pod-kill") == 2
    assert "100 % of 2 valid runs" in done.stdout
    assert done.stderr.index("1/2 first") < done.stderr.index("2/2 second")
    told = record(runs)
    assert [(d["name"], d["verdict"], d["exit_code"]) for d in told["drills"]] == [
        ("first", "pass", 0),
        ("second", "pass", 0),
    ]
    contexts = [json.loads((runs / d["run"] / "manifest.json").read_text())["contexts"] for d in told["drills"]]
    assert contexts == [["us-east-1"], ["eu-central-1"]]
    assert (told["state"], told["exit_code"]) == ("completed", 0)
    xml = ElementTree.parse(runs / "latest-gameday" / "junit.xml").getroot()
    assert (xml.attrib["failures"], xml.attrib["errors"]) == ("0", "0")
    assert int(xml.attrib["tests"]) >= 14
    rate = hardened.run("passrate", "--plan", weekly(tmp_path), "--runs", str(runs), "--json")
    assert json.loads(rate.stdout)["pass_rate"] == told["pass_rate"]
    assert hardened.processes() == set()


def test_a_signal_undoes_the_drill_that_runs_and_starts_no_other(hardened: Sandbox, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    day = subprocess.Popen(
        hardened.gameday("run", weekly(tmp_path), "--runs", str(runs), "--json"),
        cwd=REPOSITORY,
        env=hardened.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 90
    while not list(runs.glob("*/undo.json")) and day.poll() is None and time.monotonic() < until:
        time.sleep(0.2)
    day.send_signal(signal.SIGINT)
    out, err = day.communicate(timeout=90)
    assert day.returncode == 5, out + err
    told = json.loads(out)
    assert told == record(runs)
    assert [(d["exit_code"], d["verdict"]) for d in told["drills"]] == [(5, None), (None, None)]
    assert told["state"] == "stopped"
    assert "SIGINT received; load stopped, fault undone" in told["drills"][0]["says"]
    undo = json.loads((runs / told["drills"][0]["run"] / "undo.json").read_text())
    assert undo["state"] == "undone"
    assert hardened.processes() == set()
