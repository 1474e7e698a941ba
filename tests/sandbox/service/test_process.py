"""The service as a process: how it starts and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def start(*names: str, **environment: str) -> subprocess.Popen[str]:
    own = {**os.environ, "POD_IP": "127.95.0.11", "PORT": "8094", "PYTHONPATH": str(ROOT), **environment}
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox.service", *names],
        env=own,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize(("drain", "code"), [("", -signal.SIGTERM), ("0.05", 0)], ids=["naive", "hardened"])
def test_sigterm_ends_it_at_once_or_after_a_drain(drain: str, code: int) -> None:
    with start("eval-engine", DRAIN_S=drain) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "eval-engine serves on 127.95.0.11:8094\n"
        process.terminate()
        # A second SIGTERM changes nothing.
        process.terminate()
        assert process.wait(10) == code


def test_an_unknown_service_says_which_ones_there_are() -> None:
    with start() as process:
        output, _ = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "orchestration-agent|eval-engine|dashboard-api" in output
