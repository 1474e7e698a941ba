"""The drills of a game day on a terminal."""

from __future__ import annotations

import io

from rich.console import Console

from report.day import Row, print_rows
from scorer.verdict import Grade


def test_each_drill_has_its_grade_and_why_and_steers_no_terminal() -> None:
    out = io.StringIO()
    rows = [
        Row("first", Grade.PASS, "all hold"),
        Row("second 2/2", Grade.FAIL, "3 \x1b[2Jrequests"),
        Row("third", None, "not run: [red]x"),
    ]
    print_rows("Weekly", rows, Console(file=out, width=100, _environ={}))
    assert [" ".join(line.split()) for line in out.getvalue().splitlines()] == [
        "Weekly",
        "✓ pass first all hold",
        "✗ fail second 2/2 3 \ufffd[2Jrequests",
        "– none third not run: [red]x",
    ]
