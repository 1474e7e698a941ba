"""How late news may be: tables over a clock that a test moves."""

from __future__ import annotations

from bundle.timeline import Entry
from gameday.observe.pulse import Pulse

MS = 1_000_000


class Server:
    """An API server that takes its time, on a clock that only a test moves."""

    def __init__(self) -> None:
        self.now = 0
        self.takes = 5 * MS
        self.answers = True
        self.entries: list[Entry] = []
        self.samples: list[float] = []
        self.pulse = Pulse("us-east-1", self.beat, self.entries.append, self.sample, lambda: self.now)

    def beat(self) -> None:
        """One read."""
        self.now += self.takes
        if not self.answers:
            raise TimeoutError("no answer")

    def sample(self, series: str, source: str, at_ns: int, value: float) -> None:
        """Keep a reading."""
        assert (series, source, at_ns) == ("api.round_trip_s", "us-east-1", self.now)
        self.samples.append(value)

    def told(self) -> list[tuple[str, int]]:
        """What the timeline says of the observer: event and earliest moment in ms."""
        return [(entry.event, entry.earliest_ns // MS) for entry in self.entries]


def test_right_after_a_beat_news_is_as_late_as_its_round_trip() -> None:
    server = Server()
    server.pulse.once()
    assert server.pulse.lateness_ns() == 5 * MS
    assert server.samples == [0.005]
    assert server.told() == []


def test_the_slowest_of_the_last_beats_counts() -> None:
    server = Server()
    for takes in (5, 80, 5):
        server.takes = takes * MS
        server.pulse.once()
    assert server.pulse.lateness_ns() == 80 * MS


def test_a_stall_between_two_beats_counts_from_the_last_one_that_was_asked_and_answered() -> None:
    server = Server()
    server.pulse.once()
    server.now += 900 * MS
    assert server.pulse.lateness_ns() == 905 * MS


def test_after_an_outage_news_may_be_as_old_as_the_last_answer_before_it() -> None:
    server = Server()
    server.pulse.once()
    server.answers, server.takes = False, 1000 * MS
    for _ in range(3):
        server.pulse.once()
    server.answers, server.takes = True, 5 * MS
    server.pulse.once()
    assert server.pulse.lateness_ns() == server.now
    assert server.told() == [("lost", 5), ("resumed", server.now // MS)]
    server.pulse.once()
    assert server.told()[2:] == []


def test_a_server_that_never_answered_has_been_late_from_the_start() -> None:
    server = Server()
    server.answers = False
    server.pulse.once()
    server.pulse.once()
    assert server.pulse.lateness_ns() == server.now
    assert server.told() == [("lost", 0)]
