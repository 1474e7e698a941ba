"""One member of the Raft (Ongaro and Ousterhout 2014), which pysyncobj implements: commands, roles, and handing over.

pysyncobj's object is touched by one thread alone, which ticks it; requests put commands into its queue and read the
status that was taken after the last tick. So a role never appears beside the term of another.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.service.seat import Seat
from sandbox.service.server import Json
from sandbox.service.timing import Timing

# pysyncobj puts Windows' inet_ntop into `socket` on every system, where it fails.
_own = socket.inet_ntop
from pysyncobj import FAIL_REASON, SyncObj, SyncObjConf, SyncObjConsumer, replicated  # noqa: E402

socket.inet_ntop = _own

TICK_S = 0.05
"""The longest that a tick waits; news and commands wake it."""
ATTEMPT_S = 1.0
"""A command that has no outcome by then is sent again: commands are such that twice is as good as once."""
RETRY_S = 0.02
HAND_OVER_S = 0.3
"""Between two tries to make another member leader."""
RECONNECT_S = 0.25
NEVER = 10**9
ROLES = ("follower", "candidate", "leader")
"""By pysyncobj's numbers."""

Command = tuple[object, ...]


@dataclass(frozen=True)
class RaftStatus:
    """What a member says of itself. `leader` is the region of whom it takes for the leader, "" where it knows none."""

    role: str
    term: int
    leader: str
    region: str
    member: str
    commit_index: int
    caught_up: bool

    def as_json(self) -> Json:
        """As `/health` has it."""
        return asdict(self)


class NotCommitted(Exception):
    """No majority has confirmed a command in time; it may still be confirmed later."""


class _Commands(SyncObjConsumer):  # type: ignore[misc]  # pysyncobj carries no types
    def __init__(self, apply: Callable[[Command], object]) -> None:
        self._apply = apply
        super().__init__()

    @replicated  # type: ignore[untyped-decorator]
    def run(self, command: Command) -> object:
        return self._apply(command)


class _Outcome:
    """What becomes of one command that was put into the queue."""

    def __init__(self) -> None:
        self.result: object = None
        self.committed = False
        self._known = threading.Event()

    def take(self, result: object, failure: int) -> None:
        self.result, self.committed = result, failure == FAIL_REASON.SUCCESS
        self._known.set()

    def wait(self, timeout_s: float) -> bool:
        return self._known.wait(timeout_s) and self.committed


class Member:
    """A member on its seat. `start` it; `close` it to leave without a word.

    apply: carries out a committed command; called in the order of the log, on one thread. others: everybody else's
    seats; none makes a Raft of one. journal: None keeps the log in memory. say: takes a line for the pod's log.
    """

    def __init__(
        self,
        seat: Seat,
        others: tuple[Seat, ...],
        journal: Path | None,
        timing: Timing,
        apply: Callable[[Command], object],
        say: Callable[[str], None],
    ) -> None:
        self._seat, self._others = seat, others
        self._regions = {each.address: each.region for each in (seat, *others)}
        self._apply_task, self._say = apply, say
        self._role, self._said = ROLES[0], ("", -1)
        self._leaving, self._closing = threading.Event(), threading.Event()
        self._wanted_region = ""
        self._next_hand_over_s = 0.0
        self._commands = _Commands(self._apply)
        self._sync = SyncObj(
            seat.address,
            [each.address for each in others],
            _configuration(seat, journal, timing, self._role_changed),
            consumers=[self._commands],
        )
        self._status = self._look()
        self._thread = threading.Thread(target=self._run, name="raft", daemon=True)

    @property
    def status(self) -> RaftStatus:
        """As it was after the last tick."""
        return self._status

    def start(self) -> None:
        """Take part."""
        self._thread.start()

    def commit(self, command: Command, patience_s: float) -> object:
        """Have a command confirmed by a majority and applied here; returns what applying it gave.

        Raises NotCommitted after `patience_s`. The command may be applied more than once.
        """
        deadline_s = time.monotonic() + patience_s
        while (left_s := deadline_s - time.monotonic()) > 0:
            outcome = _Outcome()
            self._commands.run(command, callback=outcome.take)
            if outcome.wait(min(left_s, ATTEMPT_S)):
                return outcome.result
            time.sleep(RETRY_S)
        raise NotCommitted(f"no majority confirmed it within {patience_s:g} s")

    def propose(self, command: Command) -> None:
        """Send a command on its way and hope."""
        self._commands.run(command)

    def lead_from(self, region: str, patience_s: float) -> None:
        """Ask whoever leads to hand over to a member of that region. Raises NotCommitted.

        The wish itself goes through the log: that is how it reaches the leader, whoever that is.
        """
        self.commit(("lead-from", region), patience_s)

    def leave(self) -> None:
        """Hand over the lead, now or whenever it comes; go on taking part until `close`."""
        self._leaving.set()

    def close(self) -> None:
        """Stop taking part. Harmless when called again."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self._sync.doTick(TICK_S)
                self._status = self._look()
                self._tell()
                self._hand_over()
        finally:
            self._sync.destroy()

    def _look(self) -> RaftStatus:
        leader = self._sync._getLeader()
        return RaftStatus(
            role=self._role,
            term=self._sync.raftCurrentTerm,
            leader="" if leader is None else self._regions[leader.id],
            region=self._seat.region,
            member=self._seat.address,
            commit_index=self._sync.raftCommitIndex,
            caught_up=self._sync.isReady(),
        )

    def _role_changed(self, _: int, new: int) -> None:
        self._role = ROLES[new]

    def _tell(self) -> None:
        now = (self._status.role, self._status.term)
        if now != self._said:
            self._said = now
            self._say(f"raft {time.time_ns()} {self._status.role} of term {self._status.term}")

    def _apply(self, command: Command) -> object:
        if command[0] == "lead-from":
            if self._role == "leader" and command[1] != self._seat.region:
                self._wanted_region = str(command[1])
            return None
        return self._apply_task(command)

    def _hand_over(self) -> None:
        if self._role != "leader":
            self._wanted_region = ""
            return
        leaving = self._leaving.is_set()
        if not (leaving or self._wanted_region) or time.monotonic() < self._next_hand_over_s:
            return
        heir = self._heir()
        if heir is not None:
            self._sync.transferLeadership(heir.address, self._handed_over)

    def _handed_over(self, _: object, failure: int) -> None:
        if failure == FAIL_REASON.SUCCESS:
            self._next_hand_over_s = time.monotonic() + HAND_OVER_S

    def _heir(self) -> Seat | None:
        """Who is connected and has most of the log; who leaves looks in other regions first: its own may end, too."""
        facts = self._sync.getStatus()
        there = [seat for seat in self._others if facts[f"partner_node_status_server_{seat.address}"] == 2]
        if self._wanted_region:
            there = [seat for seat in there if seat.region == self._wanted_region]
        else:
            there = [seat for seat in there if seat.region != self._seat.region] or there
        return max(there, key=lambda seat: facts.get(f"match_idx_server_{seat.address}", 0), default=None)


def _configuration(
    seat: Seat, journal: Path | None, timing: Timing, role_changed: Callable[[int, int], None]
) -> SyncObjConf:
    return SyncObjConf(
        autoTick=False,
        bindAddress=seat.address,
        bindRetryTime=0.1,
        journalFile=None if journal is None else str(journal),
        appendEntriesPeriod=timing.heartbeat_s,
        raftMinTimeout=timing.election_s,
        raftMaxTimeout=2 * timing.election_s,
        # A leader that no majority answers must not go on calling itself one.
        leaderFallbackTimeout=2 * timing.election_s,
        # At once, not with the next heartbeat: a write waits for it.
        appendEntriesUseBatch=False,
        # Followers tell each other nothing for as long as there is a leader: by the default, an election would find
        # those connections taken for dead. What is dead is told by TCP.
        connectionTimeout=NEVER,
        tcp_keepalive=(2, 1, 3),
        connectionRetryTime=RECONNECT_S,
        # The journal is cut by emptying and refilling it: a process killed in between would lose what it confirmed.
        logCompactionMinEntries=NEVER,
        logCompactionMinTime=NEVER,
        useFork=False,
        onStateChanged=role_changed,
    )
