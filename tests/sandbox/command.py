"""The sandbox's command line as a child process, and what it must leave behind: nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

from sandbox.network import Network
from sandbox.remains import members
from sandbox.state import State

ROOT = Path(__file__).parents[2]
COMMAND_TIMEOUT_S = 100.0


def start(state: State, command: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", command, "--state", str(state.root), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
    )


def run(state: State, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    with start(state, command, *arguments) as process:
        output, errors = process.communicate(timeout=COMMAND_TIMEOUT_S)
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def assert_nothing_is_left(state: State, network: Network) -> None:
    assert members(state) == []
    assert not state.root.exists()
    listening = [
        connection.laddr
        for connection in psutil.net_connections("tcp4")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.ip.startswith(f"{network.prefix}.")
    ]
    assert listening == []
