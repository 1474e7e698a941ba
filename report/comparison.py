"""The newest runs against past ones on a terminal: for each metric what changed, and why that can be said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from report.terminal import STYLES, clean, show
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


def print_comparisons(found: Mapping[str, Sequence[Comparison]], console: Console) -> None:
    """Print a line for each metric of each drill."""
    for drill, comparisons in found.items():
        lines = Table.grid(padding=(0, 2))
        lines.add_column(no_wrap=True)
        lines.add_column(overflow="fold")
        for comparison in comparisons:
            change = Text(f"{_SYMBOLS[comparison.change]} {comparison.change}", _STYLES.get(comparison.change, ""))
            lines.add_row(change, Text(clean(comparison.says)))
        show(Text(clean(drill), "bold"), console)
        show(lines, console)


def comparisons_json(found: Mapping[str, Sequence[Comparison]]) -> str:
    """All of it as JSON."""
    told = TypeAdapter(dict[str, list[Comparison]]).dump_python({k: list(v) for k, v in found.items()}, mode="json")
    return json.dumps({"schema": 1, "drills": told}, indent=2) + "\n"
