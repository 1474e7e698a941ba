"""A game day on a terminal: how each of its drills came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from report import quantity
from report.terminal import STYLES, clean, show
from scorer.verdict import Grade


@dataclass(frozen=True, slots=True)
class Row:
    """A drill under its name, its grade (None: no verdict) and why."""

    name: str
    grade: Grade | None
    says: str


def print_rows(title: str, rows: Sequence[Row], console: Console) -> None:
    """Print a line for each drill under the game day's title."""
    lines = Table.grid(padding=(0, 2))
    lines.add_column(no_wrap=True)
    lines.add_column()
    lines.add_column(overflow="fold")
    for row in rows:
        lines.add_row(_grade(row.grade), Text(clean(row.name)), Text(clean(row.says)))
    show(Text(clean(title), "bold"), console)
    show(lines, console)


def _grade(grade: Grade | None) -> Text:
    if grade is None:
        return Text("– none", "bold red")
    return Text(f"{quantity.SYMBOLS[grade]} {grade.value}", STYLES[grade])
