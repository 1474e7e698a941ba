from __future__ import annotations

import json
import math

import pytest

from benchmarks.load.figure import Figure, Goal, document
from benchmarks.load.machine import Machine


@pytest.mark.parametrize(
    ("goal", "value", "holds"),
    [
        (Goal(at_least=0.97), 0.97, True),
        (Goal(at_least=0.97), 0.969, False),
        (Goal(at_most=2), 2, True),
        (Goal(at_most=2), 2.001, False),
        (Goal(at_least=1, at_most=2), 1.5, True),
        (Goal(at_least=1, at_most=2), 0.5, False),
        (Goal(at_most=2), math.nan, False),
    ],
)
def test_a_goal_is_held_up_to_its_bounds_and_not_by_what_is_no_number(goal: Goal, value: float, holds: bool) -> None:
    assert Figure("f", value, "ms", goal).holds is holds


@pytest.mark.parametrize(
    ("figure", "line"),
    [
        (Figure("ratio", 0.981, "", Goal(at_least=0.97)), "holds          ratio: 0.981 (goal ≥ 0.97)"),
        (Figure("late", 3, "ms", Goal(at_most=2)), "DOES NOT HOLD  late: 3 ms (goal ≤ 2)"),
        (Figure("size", 50.3, "B", beside={"rows": 1e7}), "stated         size: 50.3 B  [rows 1e+07]"),
    ],
)
def test_a_figure_says_whether_it_holds(figure: Figure, line: str) -> None:
    assert figure.line() == line


def test_the_document_has_the_machine_and_every_figure() -> None:
    figures = [Figure("late", 3, "ms", Goal(at_most=2), {"p50_ms": 1}, load_average=0.5), Figure("size", 50, "B")]
    read = json.loads(document(Machine.look(), figures, quick=True))
    assert read["quick"] is True
    assert read["machine"]["cores"] >= 1
    assert read["figures"][0] == {
        "name": "late",
        "value": 3,
        "unit": "ms",
        "goal": "≤ 2",
        "holds": False,
        "beside": {"p50_ms": 1},
        "load_average": 0.5,
    }
    assert [read["figures"][1][key] for key in ("goal", "holds")] == [None, None]
