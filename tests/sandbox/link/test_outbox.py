from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from sandbox.link.netem import NEVER
from sandbox.link.outbox import RETRY_NS, Outbox


@dataclass
class Wire:
    """What has left, and how many bytes are taken at most from now on."""

    left: bytes = b""
    room: int = 10**6
    broken: bool = False
    said: list[str] = field(default_factory=list)

    def write(self, data: bytes) -> int:
        if self.broken:
            raise BrokenPipeError
        taken = data[: self.room]
        self.left += taken
        self.room -= len(taken)
        return len(taken)

    def end(self) -> None:
        self.said.append("end")

    def close(self) -> None:
        self.said.append("close")


def outbox(*parcels: tuple[bytes | None, int, int], wire: Wire | None = None) -> tuple[Outbox, Wire]:
    """An outbox with these parcels: data, when sent, when due."""
    wire = wire or Wire()
    box = Outbox(wire, "10.0.0.1")
    for parcel in parcels:
        box.put(*parcel)
    return box, wire


def test_what_is_due_leaves_and_the_rest_waits() -> None:
    box, wire = outbox((b"a", 0, 10), (b"b", 5, 15))
    assert (box.flush(9), wire.left) == (10, b"")
    assert (box.flush(10), wire.left) == (15, b"a")
    assert (box.flush(20), wire.left) == (NEVER, b"ab")
    assert box.is_empty()


@given(st.lists(st.tuples(st.binary(max_size=3), st.integers(0, 50), st.integers(0, 50)), max_size=12))
def test_everything_leaves_once_and_in_order_whatever_the_delays(parcels: list[tuple[bytes, int, int]]) -> None:
    now_ns, sent = 0, []
    box, wire = outbox()
    for data, later_ns, late_ns in parcels:
        now_ns += later_ns
        box.flush(now_ns)
        box.put(data, now_ns, now_ns + late_ns)
        sent.append(data)
    box.flush(now_ns + 100)
    assert wire.left == b"".join(sent)
    assert box.is_empty()
    assert box.size == 0


def test_nothing_overtakes_what_is_late() -> None:
    box, wire = outbox((b"a", 0, 100), (b"b", 5, 6))
    assert box.flush(50) == 100
    assert wire.left == b""


def test_what_the_kernel_does_not_take_is_offered_again_from_where_it_stopped() -> None:
    box, wire = outbox((b"abc", 0, 1), wire=Wire(room=2))
    assert (box.flush(1), wire.left, box.size) == (1 + RETRY_NS, b"ab", 1)
    wire.room = 5
    assert (box.flush(2), wire.left, box.size) == (NEVER, b"abc", 0)


def test_the_end_of_sending_comes_after_what_was_sent() -> None:
    box, wire = outbox((b"a", 0, 10), (None, 1, 2))
    box.flush(9)
    assert wire.said == []
    box.flush(10)
    assert (wire.left, wire.said) == (b"a", ["end"])


def test_a_broken_connection_is_given_up() -> None:
    box, _ = outbox((b"a", 0, 1), (b"b", 0, 5), wire=Wire(broken=True))
    assert box.flush(1) == NEVER
    assert (box.is_empty(), box.size) == (True, 0)


def test_when_nothing_is_wrong_any_more_what_was_late_goes_at_once() -> None:
    box, wire = outbox((b"a", 0, 100), (b"b", 10, 110))
    box.reschedule(20, None)
    assert (box.flush(20), wire.left) == (NEVER, b"ab")


def test_when_a_partition_is_over_what_was_cut_off_waits_for_tcp_to_try_again() -> None:
    second_ns = 10**9
    box, wire = outbox((b"a", 0, NEVER), (b"b", second_ns, NEVER))
    assert box.flush(10 * second_ns) == NEVER
    box.reschedule(second_ns, None)
    assert box.flush(second_ns) == 1_400_000_000
    assert (box.flush(1_400_000_000), wire.left) == (NEVER, b"ab")


def test_when_a_partition_becomes_a_delay_the_next_try_is_late() -> None:
    box, _ = outbox((b"a", 0, NEVER))
    box.reschedule(1, lambda sent_ns: sent_ns + 5)
    assert box.flush(1) == 200_000_005


def test_a_new_fault_leaves_what_is_under_way_as_it_is() -> None:
    box, _ = outbox((b"a", 0, 100))
    box.reschedule(50, lambda sent_ns: sent_ns + 10_000)
    assert box.flush(50) == 100
