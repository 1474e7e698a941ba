"""The targets file, and what is said of a bad one."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorer.errors import TargetsError
from scorer.measures import MEASURES
from scorer.targets import MEASURE_UNITS, Targets, convert

GOOD = """\
schema: 1
objectives:
  quick:
    title: Quick
    measure: recovery-user
    at_most: {target: 1, unit: min}
  up:
    title: Up
    measure: availability
    at_least: {target: 99.5, threshold: 99, unit: "%"}
slos:
  availability: {title: Availability, sli: availability, objective: 99.5}
  latency: {title: Latency, sli: latency, objective: 95, latency_ms: 150}
drills:
  pod-kill: [quick, up]
recovery: {hold_s: 5}
validity:
  {sent_over_due: 0.98, lateness_p99_ms: 50, observer_gap_s: 1, clock_drift_ms: 100, confidence: 0.95}
"""


def parse(text: str) -> Targets:
    return Targets.parse(text.encode(), "t.yaml")


def test_the_threshold_is_the_target_where_none_is_given_and_units_are_converted() -> None:
    targets = parse(GOOD)
    assert targets.objectives["quick"].limit.within("s") == (60, 60)
    assert targets.objectives["up"].limit.within("%") == (99.5, 99)


def test_an_slo_tolerates_what_its_objective_leaves() -> None:
    targets = parse(GOOD)
    assert targets.slos["availability"].tolerated == 0.005
    assert targets.slos["latency"].slow_ns == 150_000_000
    assert targets.strictest is targets.slos["availability"]


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("schema: 1", "schema: 2", "t.yaml:1: schema: input should be 1"),
        ("target: 1,", "target: abc,", "t.yaml:6: objectives.quick.at_most.target: input should be a valid number"),
        ("target: 1,", "target: -1,", "t.yaml:6: objectives.quick.at_most: -1 min is outside what min can be"),
        ("target: 1,", "target: .inf,", "t.yaml:6: objectives.quick.at_most.target: input should be a finite number"),
        ("target: 1,", "", "t.yaml:6: objectives.quick.at_most.target: field required"),
        (", unit: min", "", "t.yaml:6: objectives.quick.at_most.unit: field required"),
        (
            "unit: min",
            "unit: weeks",
            "t.yaml:6: objectives.quick.at_most.unit: "
            "input should be 'ms', 's', 'min', 'h', '%', 'requests', 'probes', 'writes' or 'terms'",
        ),
        ("unit: min", 'unit: "%"', "t.yaml:3: objectives.quick: unit % cannot be converted into s"),
        (
            "unit: min}",
            "threshold: 0.5, unit: min}",
            "t.yaml:3: objectives.quick: threshold 30 is stricter than the target 60, which is at most",
        ),
        (
            "threshold: 99,",
            "threshold: 99.9,",
            "t.yaml:7: objectives.up: threshold 99.9 is stricter than the target 99.5, which is at least",
        ),
        (
            "target: 99.5, threshold: 99,",
            "target: 99.99999,",
            "t.yaml:10: objectives.up.at_least: 99.99999 % takes more requests than any drill has to be shown",
        ),
        (
            "target: 1, unit: min",
            "target: 1.0e+300, unit: min",
            "t.yaml:6: objectives.quick.at_most.target: input should be less than or equal to 1000000000000",
        ),
        ("target: 99.5,", "target: 101,", "t.yaml:10: objectives.up.at_least: 101 % is outside what % can be"),
        ("at_most: {target: 1, unit: min}", "x: 1", "t.yaml:6: objectives.quick.x: extra inputs are not permitted"),
        (
            "    at_most: {target: 1, unit: min}\n",
            "",
            "t.yaml:3: objectives.quick: needs exactly one of at_most and at_least",
        ),
        (
            "measure: recovery-user",
            "measure: luck",
            "t.yaml:5: objectives.quick.measure: no measure is called 'luck'; there are " + ", ".join(MEASURE_UNITS),
        ),
        (
            "[quick, up]",
            "[quick, slow]",
            "t.yaml:15: drills.pod-kill.1: no objective is called 'slow'; name one of quick, up",
        ),
        ("[quick, up]", "[up, up]", "t.yaml:15: drills.pod-kill.1: 'up' is named twice; name it once"),
        ("[quick, up]", "[]", "t.yaml:15: drills.pod-kill: tuple should have at least 1 item after validation, not 0"),
        (
            "objective: 99.5}",
            "objective: 100}",
            "t.yaml:12: slos.availability.objective: input should be less than 100",
        ),
        (", latency_ms: 150", "", "t.yaml:13: slos.latency: latency_ms belongs to sli: latency, and to no other"),
        ("hold_s: 5", "hold_s: 0", "t.yaml:16: recovery.hold_s: input should be greater than 0"),
        ("confidence: 0.95", "confidence: 1", "t.yaml:18: validity.confidence: input should be less than 1"),
        ("schema: 1\n", "", "t.yaml:1: schema: field required"),
        (GOOD, "", "t.yaml:1: input should be a valid dictionary or instance of Targets"),
        (GOOD, "- 1", "t.yaml:1: input should be a valid dictionary or instance of Targets"),
    ],
)
def test_bad_targets_get_one_line_that_names_the_line(good: str, bad: str, message: str) -> None:
    assert good in GOOD
    with pytest.raises(TargetsError) as refused:
        parse(GOOD.replace(good, bad, 1))
    assert str(refused.value) == message
    assert refused.value.exit_code == 2


def test_a_drill_that_the_targets_say_nothing_about_is_refused() -> None:
    with pytest.raises(TargetsError) as refused:
        parse(GOOD).of_drill("flood")
    assert str(refused.value) == "t.yaml: says nothing about the drill 'flood'; add it under drills, beside pod-kill"


def test_a_missing_targets_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(TargetsError, match=r"none.yaml: No such file or directory; give the path of a targets file"):
        Targets.load(tmp_path / "none.yaml")


def test_every_measure_that_targets_may_name_is_taken_by_the_scorer() -> None:
    assert list(MEASURES) == list(MEASURE_UNITS)


@pytest.mark.parametrize(
    ("amount", "unit", "into", "expected"),
    [
        (1.5, "min", "s", 90),
        (150, "ms", "s", 0.15),
        (4, "h", "min", 240),
        (0.1, "s", "ms", 100),
        (1, "%", "%", 1),
    ],
)
def test_units_convert_within_their_kind(amount: float, unit: str, into: str, expected: float) -> None:
    assert convert(amount, unit, into) == expected
