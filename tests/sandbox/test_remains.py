"""On planted processes that carry the mark of a sandbox."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.remains import is_alive, members, supervisor_of, sweep
from sandbox.state import MARKER, Record, State

Plant = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def state(tmp_path: Path) -> State:
    made = State(tmp_path / "s")
    made.create()
    return made


@pytest.fixture
def plant(state: State) -> Iterator[Plant]:
    planted: list[subprocess.Popen[bytes]] = []

    def start(script: str = "", mark: str = str(state.root)) -> subprocess.Popen[bytes]:
        """Starts a process and waits until it has printed its first line."""
        command = [
            sys.executable,
            "-c",
            f"import time, os, signal, subprocess\n{script}\nprint(1, flush=True)\ntime.sleep(60)",
        ]
        process = subprocess.Popen(
            command, env={**os.environ, MARKER: mark}, stdout=subprocess.PIPE, start_new_session=True
        )
        assert process.stdout is not None
        assert process.stdout.readline()
        planted.append(process)
        return process

    yield start
    for process in planted:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def test_the_processes_with_the_mark_are_found_and_no_others(state: State, plant: Plant) -> None:
    own, _ = plant(), plant(mark="/somewhere/else")
    assert [member.process.pid for member in members(state)] == [own.pid]
    assert members(state)[0].memory_bytes > 0


def test_a_sweep_ends_processes_that_ignore_sigterm_and_their_children(state: State, plant: Plant) -> None:
    plant("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsubprocess.Popen(['sleep', '60'], start_new_session=True)")
    assert sweep(state) == 2
    assert members(state) == []
    assert not state.root.exists()


def test_after_a_sweep_its_addresses_are_free_also_where_a_process_is_slow_to_end(state: State, plant: Plant) -> None:
    """A process gives up its memory, which takes long where that is much, before it closes its sockets."""
    listening = "import socket\ns = socket.socket()\ns.bind(('127.93.0.9', 8099))\ns.listen()"
    plant(f"{listening}\nheld = bytearray(os.urandom(1)) * (1 << 30)")
    sweep(state)
    with socket.socket() as probe:
        probe.bind(("127.93.0.9", 8099))


def test_a_sweep_ends_a_stopped_process(state: State, plant: Plant) -> None:
    process = plant()
    process.send_signal(signal.SIGSTOP)
    assert sweep(state) == 1
    assert process.wait(5) == -signal.SIGKILL


def test_a_sweep_of_nothing_does_nothing(state: State, tmp_path: Path) -> None:
    assert sweep(State(tmp_path / "never made")) == 0
    assert sweep(state) == 0
    assert not state.root.exists()


def test_the_supervisor_is_known_by_its_mark_not_by_its_number_alone(state: State, plant: Plant) -> None:
    state.write_record(Record("naive", "127.95", plant(mark="/somewhere/else").pid, 0))
    assert supervisor_of(state) is None
    ours = plant()
    state.write_record(Record("naive", "127.95", ours.pid, 0))
    found = supervisor_of(state)
    assert found is not None
    assert is_alive(found)
    ours.kill()
    ours.wait()
    assert not is_alive(found)
    assert supervisor_of(state) is None
