from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from sandbox.link.fault import Fault
from sandbox.link.link import FULL_BYTES, Link
from sandbox.link.outbox import Outbox

HOST, ELSEWHERE = "127.64.32.1", "127.64.64.1"
SECOND_NS = 10**9
LATE = Fault(latency_ns=SECOND_NS, towards=(HOST,))
PATIENCE_S = 10.0


class Wire:
    """What has left through it."""

    def __init__(self) -> None:
        self.left = b""
        self.closed = False

    def write(self, data: bytes) -> int:
        self.left += data
        return len(data)

    def end(self) -> None:
        """Nothing more comes."""

    def close(self) -> None:
        self.closed = True


class Sender:
    """One connection over a link whose clock stands still until a test moves it."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.asked = threading.Event()
        self.link = Link(self.clock_ns)
        self.wire = Wire()
        self.outbox: Outbox | None = None

    def clock_ns(self) -> int:
        """The time; notes that a thread of the pool asks for it, as it does before it waits."""
        if threading.current_thread().name.startswith("waiting"):
            self.asked.set()
        return self.now_ns

    @contextmanager
    def waiting(self, data: bytes) -> Iterator[Future[bool]]:
        """Send in a thread of its own, which waits for room in a full outbox while the block begins."""
        with ThreadPoolExecutor(1, "waiting") as pool:
            sent = pool.submit(self.send, data)
            assert self.asked.wait(PATIENCE_S)
            # The thread holds the link from then until it waits, so whatever the block does comes after that.
            yield sent

    def send(self, data: bytes, host: str = HOST, wait_s: float | None = None) -> bool:
        """Whether the link has taken it over."""
        self.outbox = self.link.hold(data, self.outbox, host, lambda: self.wire, wait_s)
        return self.outbox is not None


def test_while_nothing_is_wrong_everything_goes_at_once() -> None:
    sender = Sender()
    assert sender.link.quiet
    assert not sender.send(b"a")


def test_under_a_fault_what_it_concerns_is_taken_over_and_nothing_else() -> None:
    sender = Sender()
    sender.link.impose([LATE])
    assert not sender.link.quiet
    assert not sender.send(b"a", ELSEWHERE)
    assert sender.send(b"a", HOST)
    assert sender.wire.left == b""


def test_once_the_fault_is_lifted_all_has_left_in_order_and_it_is_quiet_again() -> None:
    sender = Sender()
    sender.link.impose([LATE])
    for data in (b"a", b"b"):
        assert sender.send(data)
    sender.link.impose([])
    sender.link.drain(PATIENCE_S)
    assert sender.wire.left == b"ab"
    assert sender.wire.closed
    assert sender.link.quiet
    assert not sender.send(b"c")


def test_what_is_late_leaves_when_it_is_due_though_the_fault_lasts() -> None:
    sender = Sender()
    sender.link.impose([Fault(latency_ns=SECOND_NS // 50)])
    assert sender.send(b"a")
    sender.now_ns += SECOND_NS // 50
    sender.link.drain(PATIENCE_S)
    assert sender.wire.left == b"a"
    assert not sender.link.quiet


def test_a_connection_that_is_cut_off_gets_nothing_through() -> None:
    sender = Sender()
    sender.link.impose([Fault(cut=True)])
    assert sender.send(b"a")
    sender.now_ns += 3600 * SECOND_NS
    sender.link.drain(0.05)
    assert sender.wire.left == b""


def test_a_full_outbox_takes_no_more_as_a_full_socket_does() -> None:
    sender = Sender()
    sender.link.impose([LATE])
    sender.send(b"x" * FULL_BYTES)
    with pytest.raises(BlockingIOError):
        sender.send(b"y", wait_s=0)
    with pytest.raises(TimeoutError):
        sender.send(b"y", wait_s=0.01)


def test_who_has_waited_for_a_full_outbox_sends_at_once_when_it_is_lifted() -> None:
    sender = Sender()
    sender.link.impose([LATE])
    sender.send(b"x" * FULL_BYTES)
    with sender.waiting(b"y") as sent:
        sender.link.impose([])
        assert not sent.result(PATIENCE_S), "nobody empties the outbox any more"
    assert len(sender.wire.left) == FULL_BYTES


def test_who_has_waited_for_a_full_outbox_is_late_while_the_fault_lasts() -> None:
    sender = Sender()
    sender.link.impose([LATE])
    sender.send(b"x" * FULL_BYTES)
    with sender.waiting(b"y") as sent:
        sender.now_ns += SECOND_NS
        sender.link.impose([LATE])
        assert sent.result(PATIENCE_S)
    assert len(sender.wire.left) == FULL_BYTES
    sender.now_ns += SECOND_NS
    sender.link.impose([LATE])
    sender.link.drain(PATIENCE_S)
    assert sender.wire.left == b"x" * FULL_BYTES + b"y"
