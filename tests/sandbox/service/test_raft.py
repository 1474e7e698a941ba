"""Members of a Raft over real sockets, in one process."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.service.raft import Command, Member, NotCommitted
from sandbox.service.seat import Seat
from sandbox.service.timing import Timing

# pysyncobj leaves it to the interpreter to close its file of term and vote.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

TIMING = Timing(heartbeat_s=0.03, election_s=0.3)
PATIENCE_S = 8.0
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
REGIONS = ("east", "west", "central")
SEATS = tuple(Seat(region, f"127.95.{20 + WORKER}.{n}:8097") for n, region in enumerate(REGIONS, start=1))


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline, "never came true"
        time.sleep(0.005)


class Raft:
    """Three members, one a region, each of which writes down what it is told to apply."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.applied: dict[str, list[Command]] = {}
        self.said: list[str] = []
        self.members: dict[str, Member] = {}
        for seat in SEATS:
            self.start(seat)

    def start(self, seat: Seat) -> None:
        applied: list[Command] = []
        others = tuple(each for each in SEATS if each != seat)
        member = Member(seat, others, self.folder / seat.region, TIMING, applied.append, self.said.append)
        self.applied[seat.region], self.members[seat.region] = applied, member
        member.start()

    def leader(self) -> str:
        """The region that leads, once all who are left agree about it."""
        found: list[str] = []

        def agreed() -> bool:
            leaders = {member.status.leader for member in self.members.values()}
            leading = [region for region, member in self.members.items() if member.status.role == "leader"]
            found[:] = leading
            return len(leading) == 1 and leaders == set(leading)

        until(agreed)
        return found[0]

    def close(self) -> None:
        for member in self.members.values():
            member.close()


@pytest.fixture
def raft(tmp_path: Path) -> Iterator[Raft]:
    made = Raft(tmp_path)
    yield made
    made.close()


def test_a_command_given_to_any_member_is_applied_by_all_in_one_order(raft: Raft) -> None:
    raft.leader()
    for number in range(9):
        raft.members[REGIONS[number % 3]].commit(("n", number), PATIENCE_S)
    expected = [("n", number) for number in range(9)]
    until(lambda: all(applied == expected for applied in raft.applied.values()))


def test_losing_the_leader_elects_another_in_a_newer_term_and_loses_nothing_committed(raft: Raft) -> None:
    old = raft.leader()
    term = raft.members[old].status.term
    raft.members[old].commit(("before",), PATIENCE_S)
    raft.members.pop(old).close()
    next(iter(raft.members.values())).commit(("after",), PATIENCE_S)
    new = raft.leader()
    assert new != old
    assert raft.members[new].status.term > term
    until(lambda: all(raft.applied[region] == [("before",), ("after",)] for region in raft.members))


def test_a_member_that_comes_back_to_its_seat_has_its_log_and_is_caught_up(raft: Raft) -> None:
    old = raft.leader()
    raft.members[old].commit(("one",), PATIENCE_S)
    raft.members.pop(old).close()
    raft.members[raft.leader()].commit(("two",), PATIENCE_S)
    raft.start(next(seat for seat in SEATS if seat.region == old))
    until(lambda: raft.members[old].status.caught_up and raft.applied[old] == [("one",), ("two",)])


def test_no_term_ever_had_two_leaders(raft: Raft) -> None:
    for _ in range(3):
        leader = raft.leader()
        raft.members.pop(leader).close()
        raft.leader()
        raft.start(next(seat for seat in SEATS if seat.region == leader))
    terms = [line.split()[-1] for line in raft.said if " leader of term " in line]
    assert len(terms) >= 4
    assert len(set(terms)) == len(terms)


def test_without_a_majority_nothing_is_confirmed_and_nobody_stays_leader(raft: Raft) -> None:
    leader = raft.leader()
    for region in [region for region in REGIONS if region != leader]:
        raft.members.pop(region).close()
    with pytest.raises(NotCommitted, match="no majority"):
        raft.members[leader].commit(("alone",), 0.2)
    assert ("alone",) not in raft.applied[leader]
    until(lambda: raft.members[leader].status.role != "leader")


def test_a_leader_that_leaves_hands_over_before_anybody_misses_it(raft: Raft) -> None:
    old = raft.leader()
    raft.members[old].commit(("one",), PATIENCE_S)
    raft.members[old].leave()
    until(lambda: raft.members[old].status.role == "follower")
    new = raft.leader()
    assert new != old


@pytest.mark.parametrize("region", REGIONS)
def test_any_member_can_ask_for_a_leader_in_any_region(raft: Raft, region: str) -> None:
    raft.leader()
    for asked in REGIONS:
        raft.members[asked].lead_from(region, PATIENCE_S)
        until(lambda: raft.members[region].status.role == "leader")
        raft.leader()


def test_the_library_leaves_the_rest_of_the_process_as_it_was() -> None:
    """It replaces a function of `socket` by one that fails anywhere but on Windows."""
    assert socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, "::1")) == "::1"


def test_a_member_without_others_is_its_own_majority() -> None:
    applied: list[Command] = []
    alone = Member(Seat("", f"127.95.{20 + WORKER}.9:8097"), (), None, TIMING, applied.append, lambda _: None)
    alone.start()
    alone.commit(("one",), PATIENCE_S)
    assert applied == [("one",)]
    assert alone.status.role == "leader"
    alone.close()
