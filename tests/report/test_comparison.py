"""The newest runs against past ones on a terminal."""

from __future__ import annotations

import io
import json

from rich.console import Console

from report.comparison import comparisons_json, print_comparisons
from scorer.past import Change, Comparison, Reading, compare


def comparison(newest: float) -> Comparison:
    """Five values about this against five about 1."""
    past, ours = ([Reading(n, v + n / 100, v + n / 100) for n in range(5)] for v in (1.0, newest))
    return compare("p95", past, ours, unit="ms")


def test_each_metric_is_a_line_with_what_changed_and_by_how_much() -> None:
    out = io.StringIO()
    found = {"pod-kill": [comparison(9), comparison(1)], "other": [comparison(0.1)]}
    print_comparisons(found, Console(file=out, width=120, _environ={}))
    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert lines[0] == "pod-kill"
    assert lines[1].startswith("✗ regression p95: regression, shifted by +8 ms")
    assert lines[2].startswith("· within noise p95: ")
    assert lines[3:5] == ["other", lines[4]]
    assert lines[4].startswith("✓ improvement")


def test_json_holds_everything() -> None:
    told = json.loads(comparisons_json({"pod-kill": [comparison(9)]}))
    assert told["drills"]["pod-kill"][0]["change"] == Change.REGRESSION
    assert told["drills"]["pod-kill"][0]["shift"]["value"] == 8
