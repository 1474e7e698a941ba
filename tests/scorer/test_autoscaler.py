"""An autoscaler's readings, and when its metric was over its target."""

from __future__ import annotations

import pyarrow as pa
import pytest

from bundle.table import SAMPLES, StreamWriter, compact
from bundle.timeline import Attribute, Entry
from scorer.autoscaler import Level, autoscaler_of, levels_of, turned
from scorer.facts import read_facts
from scorer.intervals import Interval
from scorer.planted import CONTEXT, NAMESPACE


def reading(at: int, name: str = "eval", *, context: str = CONTEXT, **attributes: Attribute) -> Entry:
    return Entry(
        "hpa",
        "modified",
        at - 10,
        at,
        context,
        NAMESPACE,
        name,
        name,
        "watch",
        {"cpu_target_percent": 70, **attributes},
    )


def test_readings_are_those_of_the_one_autoscaler(planted) -> None:
    facts = read_facts(
        planted(extra=(reading(100, desired=2, cpu_percent=35), reading(200, desired=3, cpu_percent=90)))
    )
    readings = autoscaler_of(facts)
    assert [(each.desired, each.cpu, each.goal) for each in readings] == [(2, 35.0, 70.0), (3, 90.0, 70.0)]


def test_of_several_the_one_that_acted_counts(planted) -> None:
    quiet = reading(150, "dashboard", desired=1)
    extra = (reading(100, desired=2), quiet, reading(200, desired=3))
    assert {each.entry.name for each in autoscaler_of(read_facts(planted(extra=extra)))} == {"eval"}


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ((), "no autoscaler was watched"),
        ((reading(1, "a", desired=1), reading(2, "b", desired=1)), "not just one of them acted"),
        (
            tuple(reading(at, name, desired=at) for at, name in ((1, "a"), (2, "b"), (3, "a"), (4, "b"))),
            "not just one of them acted: us-east-1/tars/a, us-east-1/tars/b",
        ),
    ],
)
def test_none_or_several_cannot_be_judged(planted, extra: tuple[Entry, ...], says: str) -> None:
    with pytest.raises(LookupError, match=says):
        autoscaler_of(read_facts(planted(extra=extra)))


def test_samples_of_the_metric_are_levels_as_well(planted) -> None:
    bundle = planted(extra=(reading(100, desired=2, cpu_percent=35), reading(900, desired=2)))
    (bundle.root / "samples.parquet").unlink()
    (bundle.root / "samples").mkdir()
    stream = StreamWriter(bundle.root / "samples" / "hpa.arrows", SAMPLES)
    sources = [f"{CONTEXT}/{NAMESPACE}/eval", f"{CONTEXT}/{NAMESPACE}/other", f"{CONTEXT}/{NAMESPACE}/eval"]
    columns = [
        pa.array([300, 350, 400]),
        pa.array(["hpa.cpu_percent"] * 3).dictionary_encode(),
        pa.array(sources).dictionary_encode(),
        pa.array([60.0, 99.0, 71.0]),
    ]
    stream.append(pa.RecordBatch.from_arrays(columns, schema=SAMPLES))
    stream.close()
    compact(bundle.root, "samples")
    facts = read_facts(bundle)
    levels = levels_of(autoscaler_of(facts), facts)
    assert levels == (
        Level(Interval(90, 100), False),
        Level(Interval(300, 300), False),
        Level(Interval(400, 400), True),
    )


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -1.0, True, "95"])
def test_cpu_that_cannot_be_is_no_reading_of_it(planted, odd: Attribute) -> None:
    facts = read_facts(planted(extra=(reading(100, desired=2, cpu_percent=odd),)))
    assert [each.cpu for each in autoscaler_of(facts)] == [None]


def test_without_a_target_no_metric_is_over_it(planted) -> None:
    bundle = planted(extra=(reading(100, desired=2, cpu_target_percent=None),))
    facts = read_facts(bundle)
    with pytest.raises(LookupError, match="names no target for CPU"):
        levels_of(autoscaler_of(facts), facts)


def level(at: float, over: bool) -> Level:
    return Level(Interval(at, at), over)


@pytest.mark.parametrize(
    ("levels", "over", "found"),
    [
        ([(10, False), (25, True)], True, (15, 25)),  # not before the time from which on it is asked for
        ([(10, False), (20, False), (35, True)], True, (20, 35)),
        ([(10, True), (20, True)], True, (15, 20)),
        ([(10, False), (20, False)], True, None),
        ([], True, None),
        ([(20, True), (30, False), (40, True)], True, (15, 20)),
        ([(20, True), (30, False)], False, (20, 30)),
        ([(20, True), (30, False), (40, True), (50, False)], False, (40, 50)),
        ([(20, True), (30, False), (40, True)], False, None),
    ],
)
def test_a_metric_turns_between_two_readings(
    levels: list[tuple[int, bool]], over: bool, found: tuple[int, int] | None
) -> None:
    taken = turned([level(at, was_over) for at, was_over in levels], over, 15)
    assert (None if taken is None else (taken.low, taken.high)) == found


def test_a_metric_that_turns_too_late_has_not_turned() -> None:
    levels = [level(10, False), level(20, False), level(35, True)]
    assert turned(levels, True, 15, until_ns=34) is None
    assert turned(levels, True, 15, until_ns=35) == Interval(20, 35)
