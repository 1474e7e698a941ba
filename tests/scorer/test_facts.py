"""What is read from a bundle once, for every measure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bundle.manifest import PhaseName
from bundle.reader import Bundle
from bundle.timeline import Entry
from scorer.facts import Span, read_facts
from scorer.intervals import Interval
from scorer.planted import EPOCH_NS, Plan

PlantedBundle = Callable[..., Bundle]
S = 1_000_000_000
FAULT_NS = EPOCH_NS + 7 * S


def begin(at_ns: int, activity: str) -> Entry:
    return Entry("fault", "begin", at_ns, at_ns + 5, attributes={"activity": activity})


def test_the_fault_is_the_begin_entry_of_the_activity_whose_effect_is_to_be_seen(planted: PlantedBundle) -> None:
    bundle = planted(Plan(fault_ms=40), extra=(begin(FAULT_NS - S, "announce"), begin(FAULT_NS + S, "kill")))
    assert read_facts(bundle).fault == Interval(FAULT_NS, FAULT_NS + 40_000_000)


def test_an_activity_that_nobody_named_is_the_fault_where_there_is_no_other(planted: PlantedBundle) -> None:
    bundle = planted(effects=())
    assert read_facts(bundle).fault == Interval(FAULT_NS, FAULT_NS + 40_000_000)


def test_the_window_reaches_from_the_fault_to_the_end_of_the_recovery_phase(planted: PlantedBundle) -> None:
    facts = read_facts(planted())
    assert facts.window == Span(FAULT_NS, facts.manifest.phases[3].end_ns or 0)
    assert facts.judged.scheduled_ns.min() >= FAULT_NS
    assert len(facts.judged) == 2000


def test_without_a_fault_the_window_begins_with_its_phase(planted: PlantedBundle) -> None:
    facts = read_facts(planted(keep=lambda entry: entry.kind != "fault"))
    assert facts.window is not None
    assert facts.window.start_ns == FAULT_NS - S


def test_without_fault_and_phase_there_is_no_window(planted: PlantedBundle) -> None:
    phases = planted().manifest.phases
    facts = read_facts(planted(phases=phases[:2], keep=lambda entry: entry.kind != "fault"))
    assert facts.window is None
    with pytest.raises(LookupError, match="the fault phase never began"):
        _ = facts.judged


def test_a_killed_run_lasts_as_long_as_its_rows(planted: PlantedBundle) -> None:
    facts = read_facts(planted(Plan(killed=True)))
    assert facts.ended_ns == facts.requests.done_ns.max() + 1
    assert facts.span_of(PhaseName.RECOVERY) == Span(EPOCH_NS + 9 * S, facts.ended_ns)
    assert facts.span_of(PhaseName.COOL_DOWN) is None


def test_lag_is_that_of_the_window_alone(planted: PlantedBundle) -> None:
    facts = read_facts(planted())
    assert len(facts.lag_s) == 20 * 4
    assert np.all(facts.lag_s >= 0)


def test_pods_that_come_after_the_fault_replace_those_that_went(planted: PlantedBundle) -> None:
    facts = read_facts(planted(Plan(pods_killed=2)))
    (effect,) = facts.manifest.effects
    assert [pod.uid for pod in facts.victims(effect)] == ["old-0", "old-1"]
    assert [pod.uid for pod in facts.replacements(effect)] == ["new-0", "new-1"]
