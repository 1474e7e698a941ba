"""The count of failed requests."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundle.reader import Bundle
from scorer.facts import read_facts
from scorer.failed_requests import failed_requests
from scorer.planted import Outage, Plan, plant


@pytest.mark.parametrize("plan", [Plan(outages=()), Plan(), Plan(outages=(Outage(1, 4, 0.2),), background=0.01)])
def test_the_count_is_the_planted_one(tmp_path: Path, plan: Plan) -> None:
    truth = plant(tmp_path / "b", plan)
    taken = failed_requests(read_facts(Bundle.open(tmp_path / "b")))
    assert (taken.value, taken.low, taken.high) == (truth.failed, truth.failed, truth.failed)
    assert 2000 <= taken.n <= 2003  # some were under way at the fault


def test_what_was_never_sent_may_have_failed(tmp_path: Path) -> None:
    truth = plant(tmp_path / "b", Plan(unsent=(10, 10.5)))
    taken = failed_requests(read_facts(Bundle.open(tmp_path / "b")))
    assert (taken.low, taken.high) == (truth.failed, truth.failed + 50)


def test_what_left_no_row_may_have_failed(tmp_path: Path) -> None:
    truth = plant(tmp_path / "b", Plan(silent=(10, 10.1)))
    taken = failed_requests(read_facts(Bundle.open(tmp_path / "b")))
    assert (taken.low, taken.high) == (truth.failed, truth.failed + 10)


def test_no_requests_are_no_failures_and_no_success_either(tmp_path: Path) -> None:
    plant(tmp_path / "b", Plan())
    (tmp_path / "b" / "requests.parquet").unlink()
    taken = failed_requests(read_facts(Bundle.open(tmp_path / "b")))
    assert (taken.value, taken.low, taken.high, taken.n) == (None, 0, None, 0)
