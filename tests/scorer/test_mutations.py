"""Damaged bundles and targets, by property: an error or a verdict, and no pass without what a pass needs.

`make fuzz` does the same more than 100,000 times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.fuzz import cuts, documents, entries, rows
from benchmarks.fuzz.base import make_base
from benchmarks.fuzz.mutant import Base, May, Mutant, judge

Mutation = Callable[[Base, np.random.Generator], Mutant]
FEW = settings(max_examples=12, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(frozen=True)
class Planted:
    root: Path
    base: Base


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    root = tmp_path_factory.mktemp("streams") / "bundle"
    return Planted(root, make_base(root, closed=False))


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    root = tmp_path_factory.mktemp("closed") / "bundle"
    return Planted(root, make_base(root, closed=True))


@pytest.mark.parametrize(
    "mutation",
    [*rows.MUTATIONS, *entries.MUTATIONS, *documents.MUTATIONS, *cuts.MUTATIONS],
    ids=lambda mutation: f"{mutation.__module__.rpartition('.')[2]}-{mutation.__name__}",
)
@FEW
@given(seed=st.integers(0, 2**32 - 1))
def test_damage_ends_in_an_error_or_in_a_verdict_that_claims_no_more_than_is_left(
    streams: Planted, mutation: Mutation, seed: int
) -> None:
    result = judge(streams.base, mutation(streams.base, np.random.default_rng(seed)), streams.root)
    assert not result.wrong, (result, seed)


@settings(FEW, max_examples=60)
@given(part=st.floats(0, 1, exclude_max=True))
def test_a_closed_bundle_that_was_cut_never_passes(closed: Planted, part: float) -> None:
    mutants = list(cuts.every_cut(closed.base))
    result = judge(closed.base, mutants[int(part * len(mutants))], closed.root)
    assert not result.wrong, result


def test_the_base_is_as_it_was_after_each_of_them(streams: Planted) -> None:
    rng = np.random.default_rng(1)
    judge(streams.base, rows.failed(streams.base, rng), streams.root)
    assert judge(streams.base, Mutant("nothing", May.SAME), streams.root).wrong == ""


def test_what_may_not_be_is_told(streams: Planted) -> None:
    failed = rows.failed(streams.base, np.random.default_rng(1))
    for may in (May.SAME, May.ERROR):
        assert judge(streams.base, Mutant("", may, failed.files), streams.root).wrong
    assert judge(streams.base, Mutant("", May.NO_PASS), streams.root).wrong.startswith("pass")
    broken = Mutant("", May.PASS, targets=None, files={"manifest.json": b"{"})
    assert judge(streams.base, broken, streams.root).outcome == "error"
