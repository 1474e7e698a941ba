"""The newest runs against past ones on a terminal."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from report.comparison import comparisons_json, print_comparisons
from scorer.changepoints import History, change_points
from scorer.passrate import DAY_NS
from scorer.past import Change, Comparison, Reading, compare

START_NS = 1_767_225_600_000_000_000
"""2026-01-01."""


def comparison(newest: float) -> Comparison:
    """Five values about this against five about 1."""
    past, ours = ([Reading(n, v + n / 100, v + n / 100) for n in range(5)] for v in (1.0, newest))
    return compare("p95", past, ours, unit="ms")


def test_each_metric_is_a_line_with_what_changed_and_by_how_much() -> None:
    out = io.StringIO()
    found = {"pod-kill": [comparison(9), comparison(1)], "other": [comparison(0.1)]}
    print_comparisons(found, {drill: {} for drill in found}, Console(file=out, width=120, _environ={}))
    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert lines[0] == "pod-kill"
    assert lines[1].startswith("✗ regression p95: regression, shifted by +8 ms")
    assert lines[2].startswith("· within noise p95: ")
    assert lines[3:5] == ["other", lines[4]]
    assert lines[4].startswith("✓ improvement")


def test_json_holds_everything() -> None:
    told = json.loads(comparisons_json({"pod-kill": [comparison(9)]}, {"pod-kill": {"p95": history(9)}}))
    assert told["drills"]["pod-kill"][0]["change"] == Change.REGRESSION
    assert told["drills"]["pod-kill"][0]["shift"]["value"] == 8
    assert told["histories"]["pod-kill"]["p95"]["changes"][0]["after"] == pytest.approx(9.02)


def test_a_change_of_level_over_the_history_is_told_with_when_it_was() -> None:
    lines = printed({"p95": history(9), "errors": history(1)})
    assert lines == [
        "~ level p95: 1.02 ms before, 9.02 ms since the run of 2026-01-06 00:00 UTC "
        "(or another from 2026-01-05 00:00 to 2026-01-08 00:00)"
    ]


def test_where_no_level_changed_the_longest_history_says_so() -> None:
    assert printed({"p95": history(1)}) == ["~ level no changes of level shown in 10 values"]
    assert printed({"p95": change_points([])}) == ["~ level 0 values: too few to show a change of level"]


def history(newest: float) -> History:
    """Ten days, the last five of them with values about this, the others about 1."""
    values = [*(1 + n / 100 for n in range(5)), *(newest + n / 100 for n in range(5))]
    return change_points([Reading(START_NS + n * DAY_NS, v, v) for n, v in enumerate(values)])


def printed(histories: dict[str, History]) -> list[str]:
    """What is printed below the comparisons."""
    out, found = io.StringIO(), {"pod-kill": [comparison(9)]}
    units = {"pod-kill": [*found["pod-kill"], compare("errors", [], [], unit="")]}
    print_comparisons(units, {"pod-kill": histories}, Console(file=out, width=300, _environ={}))
    return [" ".join(line.split()) for line in out.getvalue().splitlines()[3:]]
