"""Requests by the region that answered them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bundle.reader import Bundle
from scorer.facts import read_facts
from scorer.planted_failover import REGIONS, FailoverPlan, plant_failover
from scorer.regions import read_answers
from scorer.span import Span


def test_regions_together_hold_every_request_of_the_window_once(tmp_path: Path) -> None:
    plant_failover(tmp_path / "bundle", FailoverPlan(rate_per_s=30, after_s=6, asked_s=3, ready_s=4, nameless=0.2))
    bundle = Bundle.open(tmp_path / "bundle")
    facts = read_facts(bundle)
    assert facts.window is not None
    answers = read_answers(bundle, facts.window)
    assert answers.regions == tuple(sorted(REGIONS))
    parts = [answers.of(name) for name in (*REGIONS, "")]
    assert sum(map(len, parts)) == len(facts.judged)
    assert len(answers.of("")) > 0
    assert sorted(np.concatenate([part.scheduled_ns for part in parts])) == sorted(facts.judged.scheduled_ns)
    assert len(answers.of("nowhere")) == 0


def test_a_bundle_without_requests_has_no_regions(planted) -> None:
    bundle = planted()
    (bundle.root / "requests.parquet").unlink()
    answers = read_answers(bundle, Span(0, 2**62))
    assert (answers.regions, len(answers.requests)) == ((), 0)
