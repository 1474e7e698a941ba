from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.service.seat import Seat, seats_of, take_seat

SEATS = seats_of("east=127.1.1.11:8097,127.1.1.12:8097 west=127.1.2.11:8097")


def test_seats_are_read_by_region() -> None:
    assert (
        Seat("east", "127.1.1.11:8097"),
        Seat("east", "127.1.1.12:8097"),
        Seat("west", "127.1.2.11:8097"),
    ) == SEATS
    assert seats_of("") == ()


@pytest.mark.parametrize(
    "text", ["east", "=127.1.1.1:1", "east=", "east=127.1.1.1", "east=:1", "east=h:p", "a=h:1 b=h:1"]
)
def test_what_names_no_seats_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not|one address"):
        seats_of(text)


def test_each_seat_of_a_region_is_taken_once_and_others_regions_never(tmp_path: Path) -> None:
    taken = [take_seat(SEATS, "east", tmp_path) for _ in range(3)]
    assert [each and each.seat for each in taken] == [SEATS[0], SEATS[1], None]
    for each in taken:
        if each is not None:
            each.release()


def test_a_seat_that_is_left_goes_to_the_next_with_the_same_journal(tmp_path: Path) -> None:
    first = take_seat(SEATS, "west", tmp_path)
    assert first is not None
    first.release()
    second = take_seat(SEATS, "west", tmp_path)
    assert second is not None
    assert (second.seat, second.journal) == (first.seat, first.journal)
    second.release()


def test_a_process_killed_without_warning_leaves_its_seat(tmp_path: Path) -> None:
    """Otherwise a pod that was killed would block its successor."""
    code = (
        "import sys, time; from pathlib import Path; from sandbox.service.seat import *\n"
        "print(take_seat([Seat('east', 'h:1')], 'east', Path(sys.argv[1])) is not None, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        assert take_seat([Seat("east", "h:1")], "east", tmp_path) is None
        holder.kill()
        holder.wait()
    taken = take_seat([Seat("east", "h:1")], "east", tmp_path)
    assert taken is not None
    taken.release()
