"""The course of a game day in one line, as a terminal shows it over the drill that is under way."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from gameday.day import Result, Turn
from report.quantity import SYMBOLS
from report.terminal import STYLES

SHOWN = 3
"""So many drills are shown before the one that is under way, and as many after it: a long day has to fit."""


def course(turns: Sequence[Turn], results: Sequence[Result]) -> Text:
    """What is done, with its grade; what is under way; what is still to come."""
    first, end = max(0, len(results) - SHOWN), min(len(turns), len(results) + SHOWN + 1)
    line = Text(f"{first} before  " if first else "")
    for index, turn in enumerate(turns[first:end], first):
        line.append("  " if index > first else "")
        if index < len(results):
            verdict = results[index].verdict
            symbol = "–" if verdict is None else SYMBOLS[verdict.verdict]
            line.append(f"{symbol} {turn.label}", "bold red" if verdict is None else STYLES[verdict.verdict])
        elif index == len(results):
            line.append(f"▶ {turn.label}", "bold")
        else:
            line.append(f"· {turn.label}", "dim")
    line.append(f"  {len(turns) - end} after" if end < len(turns) else "", "dim")
    return line
