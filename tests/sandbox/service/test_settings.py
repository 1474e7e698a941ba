from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.service.seat import Seat
from sandbox.service.settings import Settings
from sandbox.service.timing import Timing


def test_settings_come_from_the_environment() -> None:
    read = Settings.from_environment({"POD_IP": "127.1.1.1", "PORT": "8094", "DRAIN_S": "1.5", "WORK_MS": "5"})
    assert (read.host, read.port, read.drain_s, read.work_s) == ("127.1.1.1", 8094, 1.5, 0.005)


def test_without_any_a_pod_stops_at_once_is_a_raft_of_one_and_acknowledges_what_it_received() -> None:
    read = Settings.from_environment({})
    assert (read.drain_s, read.seats, read.acknowledge_committed) == (None, (), False)


def test_the_raft_is_told_its_seats_its_folder_and_its_pace() -> None:
    read = Settings.from_environment(
        {
            "RAFT_MEMBERS": "east=127.1.1.11:8097 west=127.1.2.11:8097",
            "RAFT_DIRECTORY": "/journals",
            "RAFT_HEARTBEAT_S": "0.05",
            "RAFT_ELECTION_S": "0.5",
            "ACKNOWLEDGE": "committed",
        }
    )
    assert read.seats == (Seat("east", "127.1.1.11:8097"), Seat("west", "127.1.2.11:8097"))
    assert (read.raft_directory, read.timing) == (Path("/journals"), Timing(0.05, 0.5))
    assert read.acknowledge_committed


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ACKNOWLEDGE", "soon", "neither received nor committed"),
        ("RAFT_ELECTION_S", "0.3", "more than 3 must fit"),
        ("RAFT_HEARTBEAT_S", "0", "more than 3 must fit"),
        ("RAFT_MEMBERS", "east", "REGION=ADDRESS"),
    ],
)
def test_what_makes_no_sense_is_refused(name: str, value: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Settings.from_environment({name: value})
