"""The newest runs against past ones on a terminal: for each metric what changed and when, and why that can be said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from report import quantity
from report.terminal import STYLES, clean, show
from scorer.changepoints import History
from scorer.past import Change, Comparison
from scorer.verdict import Grade

_STYLES = {
    Change.REGRESSION: STYLES[Grade.FAIL],
    Change.MISSING: STYLES[Grade.FAIL],
    Change.IMPROVEMENT: STYLES[Grade.PASS],
    Change.INCONCLUSIVE: STYLES[Grade.INCONCLUSIVE],
}
_SYMBOLS = {
    Change.REGRESSION: "✗",
    Change.MISSING: "✗",
    Change.IMPROVEMENT: "✓",
    Change.NO_CHANGE: "✓",
    Change.WITHIN_NOISE: "·",
    Change.INCONCLUSIVE: "?",
    Change.NEW: "+",
}


def print_comparisons(
    found: Mapping[str, Sequence[Comparison]], histories: Mapping[str, Mapping[str, History]], console: Console
) -> None:
    """Print a line for each metric of each drill, and one for each change of its level over the history."""
    for drill, comparisons in found.items():
        lines = Table.grid(padding=(0, 2))
        lines.add_column(no_wrap=True)
        lines.add_column(overflow="fold")
        for comparison in comparisons:
            change = Text(f"{_SYMBOLS[comparison.change]} {comparison.change}", _STYLES.get(comparison.change, ""))
            lines.add_row(change, Text(clean(comparison.says)))
        units = {comparison.metric: comparison.shift.unit for comparison in comparisons}
        for says in _levels(histories[drill], units):
            lines.add_row(Text("~ level"), Text(clean(says)))
        show(Text(clean(drill), "bold"), console)
        show(lines, console)


def comparisons_json(found: Mapping[str, Sequence[Comparison]], histories: Mapping[str, Mapping[str, History]]) -> str:
    """All of it as JSON."""
    told = TypeAdapter(dict[str, list[Comparison]]).dump_python({k: list(v) for k, v in found.items()}, mode="json")
    levels = TypeAdapter(dict[str, dict[str, History]]).dump_python(
        {drill: dict(of) for drill, of in histories.items()}, mode="json"
    )
    return json.dumps({"schema": 1, "drills": told, "histories": levels}, indent=2) + "\n"


def _levels(histories: Mapping[str, History], units: Mapping[str, str]) -> list[str]:
    """A line for each change of level; where no metric has one, what the longest history shows."""
    lines = [
        f"{metric}: {_figure(change.before, units[metric])} before, {_figure(change.after, units[metric])} since the "
        f"run of {_when(change.at_ns)} UTC (or another from {_when(change.low_ns)} to {_when(change.high_ns)})"
        for metric, history in histories.items()
        for change in history.changes
    ]
    if lines or not histories:
        return lines
    return [max(histories.values(), key=lambda history: history.values).says]


def _figure(value: float, unit: str) -> str:
    return quantity.with_unit(quantity.number(value), unit)


def _when(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns / 1e9, UTC):%Y-%m-%d %H:%M}"
