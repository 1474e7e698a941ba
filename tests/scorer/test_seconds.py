"""Requests counted by second."""

from __future__ import annotations

import numpy as np

from scorer.facts import read_facts
from scorer.planted import Outage, Plan
from scorer.seconds import per_second
from scorer.span import Span
from scorer.targets import Targets


def test_each_request_counts_in_the_second_in_which_it_was_over(planted, targets: Targets) -> None:
    facts = read_facts(planted(Plan(outages=(Outage(0, 3, share=0.4, slow_ms=900),), unsent=(5.0, 5.5))))
    requests, slo = facts.requests, targets.slos["api-latency"]
    start_ns = int(requests.done_ns.min()) + 2_000_000_000
    seconds = per_second(facts, slo, Span(start_ns, start_ns + 12_300_000_000))
    assert len(seconds) == 13
    for second in range(13):
        from_ns = start_ns + second * 1_000_000_000
        to_ns = min(from_ns + 1_000_000_000, start_ns + 12_300_000_000)
        rows = (requests.done_ns >= from_ns) & (requests.done_ns < to_ns)
        bad = requests.sent & ~(requests.ok & (requests.latency_ns <= 150_000_000))
        assert seconds.sent[second] == np.count_nonzero(rows & requests.sent)
        assert seconds.bad[second] == np.count_nonzero(rows & bad)
        assert seconds.unsent[second] == np.count_nonzero(rows & ~requests.sent)


def test_an_empty_span_is_one_empty_second(planted, targets: Targets) -> None:
    seconds = per_second(read_facts(planted()), targets.slos["availability"], Span(0, 0))
    assert (len(seconds), seconds.sent.sum()) == (1, 0)
