"""The share of requests that timed out."""

from __future__ import annotations

import pytest

from scorer.facts import read_facts
from scorer.planted import Outage, Plan
from scorer.timeouts import timeout_grounds, timeout_share

HELD = Plan(outages=(Outage(0.0, 7.0, share=0.2, held="failed"),), after_s=20)


def test_only_failures_as_late_as_the_time_out_are_time_outs(planted) -> None:
    facts = read_facts(planted(HELD))
    judged = facts.judged
    late = int((judged.sent & ~judged.ok & (judged.latency_ns >= 4_950_000_000)).sum())
    taken = timeout_share(facts, 0.95)
    assert 0 < late < judged.bad
    assert taken.value == pytest.approx(100 * late / len(judged))
    assert taken.low is not None
    assert taken.high is not None
    assert taken.value is not None
    assert taken.low < taken.value < taken.high
    assert [kind.count for kind in timeout_grounds(facts).kinds[:2]] == [late, judged.bad - late]


def test_fast_failures_are_no_time_outs(planted) -> None:
    taken = timeout_share(read_facts(planted(Plan())), 0.95)
    assert (taken.value, taken.low) == (0, 0)
    assert taken.high == pytest.approx(0.15, abs=0.02)


def test_unsent_arrivals_may_have_timed_out(planted) -> None:
    taken = timeout_share(read_facts(planted(Plan(outages=(), unsent=(4.0, 4.3)))), 0.95)
    assert taken.value == 0
    assert taken.low == 0
    assert taken.high is not None
    assert taken.high > 1.5


def test_where_nobody_knows_the_time_out_nothing_timed_out_for_sure(planted) -> None:
    with pytest.raises(LookupError, match="nobody recorded after how long a request times out"):
        timeout_share(read_facts(planted(Plan(users=5))), 0.95)


def test_a_record_without_the_start_of_failures_shows_no_time_outs(planted) -> None:
    bundle = planted(HELD)
    assert bundle.manifest.load is not None
    load = bundle.manifest.load.model_copy(update={"lacks": ("failed-start",)})
    with pytest.raises(LookupError, match="doesn't say when requests that got no connection were sent"):
        timeout_share(read_facts(planted(HELD, load=load)), 0.95)
