"""Timing the answers of replicas that are scripted."""

from __future__ import annotations

import threading
from types import SimpleNamespace

from bundle.timeline import Entry
from gameday.observe.asking import NoAnswer, OutOfReach
from gameday.observe.delays import ROUND_TRIP, UNANSWERED, delay_poll
from gameday.observe.roles import DelayPlan
from tests.gameday.observe.test_leaders import pod, until


def test_each_answer_and_each_silence_is_a_sample() -> None:
    samples: list[tuple[str, str, float]] = []
    entries: list[Entry] = []
    errors = {"a": None, "b": NoAnswer("refused"), "c": OutOfReach("timed out")}
    clocks: dict[int, int] = {}

    def now_ns() -> int:  # a clock of its own for each thread that asks
        return clocks.setdefault(threading.get_ident(), 0)

    class Asked:
        """Answers, or does what it is told, after a minute."""

        def __init__(self, name: str) -> None:
            self._error = errors[name]

        def get(self, path: str) -> tuple[int, bytes]:
            assert path == "/health"
            clocks[threading.get_ident()] = now_ns() + 60 * 10**9
            if self._error is not None:
                raise self._error
            return 503, b""

        def close(self) -> None:
            pass

    poll = delay_poll(
        SimpleNamespace(context="east"),  # type: ignore[arg-type]  # all that is used of it
        DelayPlan(),
        lambda: [pod(name) for name in errors],
        lambda _, __, replica: Asked(replica.name),
        entries.append,
        lambda series, source, _, value: samples.append((series, source, value)),
        now_ns,
    )
    poll.start()
    until(lambda: {source for _, source, _ in samples} == {"east/a", "east/b", "east/c"})
    poll.stop()
    told = {(series, source, value) for series, source, value in samples if series != "delay.widest_s"}
    assert told == {(ROUND_TRIP, "east/a", 60.0), (UNANSWERED, "east/b", 60.0), (UNANSWERED, "east/c", 60.0)}
    assert [(entry.event, entry.attributes["watches"]) for entry in entries] == [("connected", "delays")]
