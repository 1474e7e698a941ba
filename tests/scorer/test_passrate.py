"""The pass rate: what counts, what it shows, and what it would hide."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, nan
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorer.passrate import DAY_NS, DrillRun, PassRate, pass_rate
from scorer.verdict import Grade, Verdict

PASS, WARN, INCONCLUSIVE, FAIL, INVALID = Grade.PASS, Grade.WARN, Grade.INCONCLUSIVE, Grade.FAIL, Grade.INVALID
NOW_NS = 1_000 * DAY_NS


def run(
    name: str,
    grade: Grade,
    *,
    drill: str = "pod-kill",
    days_ago: float = 1,
    weight: float = 1,
    contexts: tuple[str, ...] = (),
) -> DrillRun:
    verdict = Verdict(
        schema=1,
        drill=drill,
        title=drill,
        run=name,
        verdict=grade,
        summary="",
        validity=(),
        objectives=(),
        contexts=contexts,
        targets_sha256="",
    )
    return DrillRun(NOW_NS - round(days_ago * DAY_NS), verdict, weight)


def runs(*grades: Grade, drill: str = "pod-kill", weight: float = 1) -> list[DrillRun]:
    return [run(f"{drill}-{number}", grade, drill=drill, weight=weight) for number, grade in enumerate(grades)]


def rate(some: Iterable[DrillRun], target: float = 0.95, *, strict: bool = False, confidence: float = 0.95) -> PassRate:
    return pass_rate(
        some,
        target,
        now_ns=NOW_NS,
        stale_after_days=30,
        strict=strict,
        threshold=min(0.8, target),
        confidence=confidence,
    )


def test_invalid_drills_neither_pass_nor_count_and_are_listed() -> None:
    found = rate(runs(PASS, INVALID, PASS, FAIL))
    assert found.plain.once.measure.n == 3
    assert found.plain.once.measure.value == pytest.approx(200 / 3)
    assert found.invalid == ("pod-kill-1",)


@pytest.mark.parametrize(
    ("grade", "strict", "value"),
    [(PASS, True, 100), (WARN, False, 100), (WARN, True, 0), (INCONCLUSIVE, False, 0), (FAIL, False, 0)],
)
def test_a_warning_passes_unless_strict_and_what_is_inconclusive_never_does(
    grade: Grade, strict: bool, value: float
) -> None:
    assert rate(runs(grade), strict=strict).plain.once.measure.value == value


@pytest.mark.parametrize(("passes", "low"), [(10, 69.15), (30, 88.43)])
def test_the_published_bounds_of_clean_records(passes: int, low: float) -> None:
    """Two-sided 95 % is 97.5 % for each bound."""
    assert rate(runs(*[PASS] * passes), confidence=0.975).plain.once.measure.low == pytest.approx(low, abs=0.01)


@pytest.mark.parametrize(
    ("passed", "failed", "once", "always"),
    [
        (0, 0, 59, 67),
        (58, 0, 1, 9),
        (59, 0, 0, 8),
        (67, 0, 0, 0),
        (10, 1, 93 - 11, 141 - 11),
        (500, 0, 0, 0),
    ],
)
def test_how_many_more_passes_in_a_row_would_show_the_target(passed: int, failed: int, once: int, always: int) -> None:
    grades = [PASS] * passed + [FAIL] * failed
    found = rate(runs(*grades))
    assert (found.plain.once.more_passes, found.plain.always.more_passes) == (once, always)
    for claim, more in ((found.plain.once, once), (found.plain.always, always)):
        assert (claim.verdict is PASS) == (more == 0)
    if once:
        assert rate(runs(*grades, *[PASS] * once)).plain.once.verdict is PASS
        assert rate(runs(*grades, *[PASS] * (once - 1))).plain.once.verdict is not PASS


def test_no_number_of_passes_shows_that_no_drill_ever_fails() -> None:
    found = rate(runs(PASS), target=1.0)
    assert found.plain.once.more_passes is None
    assert found.plain.once.verdict is INCONCLUSIVE


@pytest.mark.parametrize(
    ("passed", "failed", "verdict"),
    [(59, 0, PASS), (20, 0, WARN), (5, 0, INCONCLUSIVE), (0, 0, INCONCLUSIVE), (1, 9, FAIL)],
)
def test_the_rate_is_graded_by_its_bounds(passed: int, failed: int, verdict: Grade) -> None:
    assert rate(runs(*[PASS] * passed, *[FAIL] * failed)).plain.once.verdict is verdict


def test_without_valid_drills_nothing_is_shown() -> None:
    for nothing in ([], runs(INVALID)):
        found = rate(nothing)
        assert (found.plain.once.measure.value, found.plain.once.measure.low, found.plain.once.measure.high) == (
            None,
            0,
            100,
        )
        assert found.plain.probability is None
        assert found.by_severity is None


def test_the_worst_drill_comes_first_and_a_good_mean_does_not_hide_it() -> None:
    found = rate([*runs(*[PASS] * 40), *runs(PASS, FAIL, FAIL, drill="region-failover"), *runs(PASS, drill="scale")])
    assert [share.drill for share in found.drills] == ["region-failover", "pod-kill", "scale"]
    assert found.worst is not None
    assert found.worst.says == "region-failover passed 1 of 3 valid runs"
    assert found.worst.measure.value == pytest.approx(100 / 3)
    assert sum(share.valid for share in found.drills) == found.plain.once.measure.n == 44


def test_the_regions_of_a_drill_are_told_apart() -> None:
    found = rate([*[run(f"e{n}", PASS, contexts=("east",)) for n in range(9)], run("w", FAIL, contexts=("west",))])
    assert [share.says for share in found.drills] == [
        "pod-kill in west passed 0 of 1 valid runs",
        "pod-kill in east passed 9 of 9 valid runs",
    ]
    assert found.plain.once.measure.value == 90


def test_which_region_is_broken_is_part_of_what_a_drill_is() -> None:
    lost = [run(first, PASS, contexts=(first, second)) for first, second in (("a", "b"), ("b", "a"))]
    assert [str(share.subject) for share in rate(lost).drills] == ["pod-kill in a, b", "pod-kill in b, a"]


def test_a_drill_that_was_never_shown_is_worse_than_any() -> None:
    found = rate([*runs(FAIL), *runs(INVALID, drill="restore")])
    assert found.worst is not None
    assert found.worst.says == "restore passed 0 of 0 valid runs, 1 invalid, never shown"
    assert rate([]).worst is None


@pytest.mark.parametrize(("days_ago", "stale"), [(0, False), (30, False), (30.01, True), (-0.01, True)])
def test_a_drill_is_stale_when_its_newest_valid_run_is_too_old_or_not_yet(days_ago: float, stale: bool) -> None:
    found = rate([run("old", PASS, days_ago=400), run("new", FAIL, days_ago=days_ago), run("x", INVALID, days_ago=0)])
    assert [share.drill for share in found.stale] == (["pod-kill"] if stale else [])
    assert found.drills[0].says.endswith("stale") == stale


def test_the_rate_by_severity_weighs_runs_and_says_what_it_is_made_of() -> None:
    found = rate([*runs(*[PASS] * 30), *runs(PASS, FAIL, drill="region-failover", weight=5)])
    assert found.by_severity is not None
    weighted = found.by_severity.once.measure
    assert weighted.value == pytest.approx(100 * 35 / 40)
    assert weighted.evidence == ("weight 1: 30 of 30 valid runs passed", "weight 5: 1 of 2 valid runs passed")
    assert weighted.method == "Clopper–Pearson, for a single look, Bonferroni over 2 severities, each bound at 95 %"
    assert found.plain.once.measure.value == pytest.approx(100 * 31 / 32)


def test_the_rate_by_severity_is_there_only_where_severities_differ() -> None:
    assert rate(runs(PASS, FAIL, weight=3)).by_severity is None


@pytest.mark.parametrize("weight", [0, -1, inf, nan])
def test_a_weight_that_is_none_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="positive and finite"):
        run("x", PASS, weight=weight)


@pytest.mark.parametrize(("target", "threshold"), [(0, None), (1.01, None), (0.9, 0.95), (nan, None)])
def test_a_target_that_is_no_share_is_refused(target: float, threshold: float | None) -> None:
    with pytest.raises(ValueError, match="0 < threshold ≤ target ≤ 1"):
        pass_rate([], target, now_ns=NOW_NS, stale_after_days=30, threshold=threshold)


def test_a_run_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        rate([run("x", PASS), run("x", PASS)])


@given(
    st.lists(st.tuples(st.sampled_from(Grade), st.sampled_from(["a", "b"]), st.sampled_from([1, 3])), max_size=25),
    st.randoms(),
)
@settings(max_examples=30)
def test_the_order_of_runs_does_not_matter_and_a_pass_never_lowers_a_bound(
    drawn: list[tuple[Grade, str, float]], random: Random
) -> None:
    some = [run(f"{i}", grade, drill=drill, weight=weight) for i, (grade, drill, weight) in enumerate(drawn)]
    shuffled = list(some)
    random.shuffle(shuffled)
    found = rate(some)
    assert rate(shuffled) == found
    better = rate([*some, run("more", PASS)])
    for before, after in ((found.plain.once, better.plain.once), (found.plain.always, better.plain.always)):
        assert before.measure.low is not None
        assert after.measure.low is not None
        assert after.measure.low >= before.measure.low - 1e-9
        assert before.more_passes is not None
        assert after.more_passes == max(0, before.more_passes - 1)
