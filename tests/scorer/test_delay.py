"""Whether a delay is proven by what was measured at the pods."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundle.manifest import Effect
from bundle.reader import Bundle
from bundle.timeline import Attribute, Entry
from scorer.delay import Median, delayed
from scorer.facts import read_facts
from scorer.latency_rise import at_work
from scorer.planted import APP, CONTEXT, EPOCH_NS, NAMESPACE, Plan
from scorer.proof import proof_grounds, proven
from scorer.samples import Samples, Trips

PlantedBundle = Callable[..., Bundle]
S, MS = 1_000_000_000, 1_000_000
BEGIN_NS, END_NS = EPOCH_NS + 7 * S, EPOCH_NS + 12 * S
EFFECT = Effect(
    kind="delay",
    activity="slow-down",
    context=CONTEXT,
    namespace=NAMESPACE,
    selector=f"app={APP}",
    latency_ns=100 * MS,
)
Course = Mapping[str, tuple[float, float, float]]
"""By pod: the milliseconds of an answer before, while and after the delay is on."""
OK: Course = {"agent-0": (2, 102, 2), "agent-1": (2, 3, 2), "agent-2": (2, 2, 2)}


def fault(event: str, at_ns: int, width_ns: int = 50 * MS, **attributes: str) -> Entry:
    """A begin or an end as the watch saw it."""
    told = {"activity": "slow-down", **attributes}
    return Entry("fault", event, at_ns, at_ns + width_ns, CONTEXT, source="watch", attributes=told)


def begin(*pods: str) -> Entry:
    return fault("begin", BEGIN_NS, status="succeeded", output=json.dumps(pods))


def trips(*parts: tuple[int, int, float], answered: bool = True) -> Trips:
    """Questions from one moment to another, 100 ms apart at most, each taking so many milliseconds."""
    over, took = [], []
    for from_ns, to_ns, ms in parts:
        took_ns = round(ms * MS)
        every = range(from_ns + took_ns, to_ns, max(80 * MS, took_ns))
        over += list(every)
        took += [took_ns] * len(every)
    return Trips(np.array(over, np.int64), np.array(took, np.int64), np.full(len(over), answered))


def pod(before_ms: float, during_ms: float, after_ms: float) -> Trips:
    return trips(
        (EPOCH_NS, BEGIN_NS, before_ms),
        (BEGIN_NS + 50 * MS, END_NS, during_ms),
        (END_NS + 50 * MS, END_NS + 3 * S, after_ms),
    )


def judged(
    planted: PlantedBundle,
    course: Mapping[str, Trips],
    *entries: Entry,
    effect: Effect = EFFECT,
) -> tuple[bool, str]:
    """What the proof says of pods that answered so."""
    bundle = planted(Plan(pods_killed=0), keep=lambda entry: entry.kind != "fault", extra=entries, effects=(effect,))
    facts = read_facts(bundle)
    told = {f"{CONTEXT}/{name}": trips for name, trips in course.items()}
    return proven(replace(facts, samples=Samples(trips=told)))


@pytest.mark.parametrize(
    ("course", "ok", "says"),
    [
        (OK, True, "agent-0's median went from 2 ms to 102 ms and back to 2 ms, 100 ms asked for"),
        ({**OK, "agent-0": (2, 96, 2)}, True, "to 96 ms"),
        ({**OK, "agent-0": (2, 80, 2)}, False, "not surely a rise by 90% of it"),
        ({**OK, "agent-0": (2, 2, 2)}, False, "not surely a rise"),
        ({**OK, "agent-0": (102, 102, 2)}, False, "not surely a rise"),
        ({**OK, "agent-0": (2, 102, 102)}, False, "it is not surely gone"),
        ({**OK, "agent-1": (2, 102, 2)}, False, "agent-1 was not chosen, and its median went from 2 ms to 102 ms, too"),
    ],
)
def test_the_chosen_pod_and_no_other_must_answer_late_and_only_meanwhile(
    planted: PlantedBundle, course: Course, ok: bool, says: str
) -> None:
    told = {name: pod(*ms) for name, ms in course.items()}
    shown, line = judged(planted, told, begin("agent-0"), fault("end", END_NS))
    assert (shown, says in line) == (ok, True), line


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ((begin("agent-9"), fault("end", END_NS)), "chose agent-9, not at least 1 of the pods"),
        ((begin(), fault("end", END_NS)), "chose no pod"),
        ((fault("begin", BEGIN_NS, status="succeeded"), fault("end", END_NS)), "chose no pod"),
        ((begin("agent-0"),), "was not seen to begin after a baseline and to end"),
        ((begin("agent-0"), fault("end", BEGIN_NS)), "was not seen to begin"),
        ((fault("begin", BEGIN_NS, status="failed"), fault("end", END_NS)), "did not begin or did not succeed"),
    ],
)
def test_it_must_be_seen_of_the_right_pod_from_begin_to_end(
    planted: PlantedBundle, entries: tuple[Entry, ...], says: str
) -> None:
    shown, line = judged(planted, {name: pod(*ms) for name, ms in OK.items()}, *entries)
    assert not shown
    assert says in line


DARK = trips((EPOCH_NS, BEGIN_NS, 2), (BEGIN_NS + S // 2, BEGIN_NS + 2 * S, 102), (END_NS + S, END_NS + 3 * S, 2))


@pytest.mark.parametrize(
    ("measured", "says"),
    [
        (None, "it was not measured all the while"),
        (trips((BEGIN_NS + 50 * MS, END_NS + 3 * S, 102)), "it was not measured all the while"),
        (DARK, "nobody asked it"),
    ],
)
def test_a_pod_that_was_not_measured_all_the_while_proves_nothing(
    planted: PlantedBundle, measured: Trips | None, says: str
) -> None:
    course = {name: pod(*ms) for name, ms in OK.items() if name != "agent-0"}
    if measured is not None:
        course["agent-0"] = measured
    shown, line = judged(planted, course, begin("agent-0"), fault("end", END_NS))
    assert not shown
    assert says in line


def agent(event: str, at_ns: int, uid: str, labels: dict[str, str] | None = None) -> Entry:
    told: dict[str, Attribute] = {"phase": "Running", "ready": True, "labels": labels or {"app": APP}}
    return Entry("pod", event, at_ns, at_ns, CONTEXT, NAMESPACE, "agent-1", uid, "watch", told)


GONE = (agent("present", EPOCH_NS, "u"), agent("deleted", BEGIN_NS + S // 2, "u"))


@pytest.mark.parametrize(
    ("life", "ok"),
    [
        ((), False),  # as planted: it was there all the while
        (GONE, True),
        ((GONE[0], agent("deleted", END_NS - S // 2, "u")), False),
        ((*GONE, agent("added", BEGIN_NS + S, "v")), False),
        ((*GONE, agent("added", END_NS + S, "v")), True),
    ],
)
def test_a_pod_that_was_not_chosen_and_gave_no_answer_meanwhile_leaves_it_open(
    planted: PlantedBundle, life: tuple[Entry, ...], ok: bool
) -> None:
    course = {name: pod(*ms) for name, ms in OK.items()}
    answers = course["agent-1"]
    during = (answers.over_ns >= BEGIN_NS) & (answers.over_ns < END_NS)
    course["agent-1"] = answers.where(~during)
    told = (*life, begin("agent-0"), fault("end", END_NS))
    bundle = planted(
        Plan(pods_killed=0),
        keep=lambda entry: entry.kind != "fault" and not (life and entry.name == "agent-1"),
        extra=tuple(sorted(told, key=lambda entry: entry.latest_ns)),
        effects=(EFFECT,),
    )
    measured = {f"{CONTEXT}/{name}": trips for name, trips in course.items()}
    shown, line = proven(replace(read_facts(bundle), samples=Samples(trips=measured)))
    assert (shown, "agent-1 was not chosen, and gave no answer during the delay" in line) == (ok, not ok), line


def test_silence_is_no_delay(planted: PlantedBundle) -> None:
    """A pod that gives no answer for a second is broken in another way than the one asked for."""
    answers = pod(2, 102, 2)
    during = (answers.over_ns >= BEGIN_NS) & (answers.over_ns < END_NS)
    dead = Trips(answers.over_ns, answers.took_ns, answers.answered & ~during)
    dead.answered[np.flatnonzero(during)[0]] = True
    course = {**{name: pod(*ms) for name, ms in OK.items()}, "agent-0": dead}
    shown, line = judged(planted, course, begin("agent-0"), fault("end", END_NS))
    assert not shown
    assert "not surely a rise" in line


def test_the_delay_was_at_work_from_injected_to_recovered(planted: PlantedBundle) -> None:
    entries = (begin("agent-0"), fault("end", END_NS))
    facts = read_facts(planted(Plan(pods_killed=0), keep=lambda e: e.kind != "fault", extra=entries, effects=(EFFECT,)))
    span = at_work(facts)
    assert (span.start_ns, span.end_ns) == (BEGIN_NS + 50 * MS, END_NS)
    assert [entry.event for entry in proof_grounds(facts).entries] == ["begin", "end"]
    assert delayed(facts, EFFECT)[0] is False


@given(
    answered=st.lists(st.integers(0, 10**12), max_size=60),
    lost=st.integers(0, 20),
)
def test_a_median_lies_within_its_bounds(answered: list[int], lost: int) -> None:
    took = np.array([*answered, *[7] * lost], np.int64)
    median = Median.of(Trips(took, took, np.arange(len(took)) < len(answered)))
    assert median.n == len(answered)
    if answered and not lost:
        assert median.bounds.low <= median.value <= median.bounds.high
