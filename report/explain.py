"""The explanation of a verdict on a terminal: of each check and objective what was promised, what went in, and why.

Width, colour and what a terminal can't show are dealt with as in `report/terminal.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from report.quantity import SYMBOLS
from report.terminal import STYLES, clean, show
from scorer.explanation import EntryTold, Explanation, KindTold, RowTold, Told
from scorer.verdict import Grade

SHOWN = 12
"""Entries printed of one check or objective, at most: the first and the last half of them."""


def print_explanation(explanation: Explanation, console: Console) -> None:
    """Print how each check and each objective came out as it did."""
    show(explained(explanation), console)


def explained(explanation: Explanation) -> RenderableType:
    """The explanation as something that rich prints."""
    parts: list[RenderableType] = [Text("How this verdict came about", "bold"), _frame(explanation)]
    shown: set[KindTold] = set()
    for title, told in (("Validity", explanation.validity), ("Objectives", explanation.objectives)):
        if told:
            parts += [Text(), Text(title, "bold")]
        for one in told:
            parts += [Text(), _headline(one), _body(one, shown)]
            shown.update(one.rows)
    return Group(*parts)


def _frame(explanation: Explanation) -> RenderableType:
    lines = [("Times", f"in seconds from {explanation.origin}")]
    if explanation.fault_until_s is not None:
        lines.append(("Fault", f"took effect between {_s(0.0)} and {_s(explanation.fault_until_s)}"))
    if explanation.window_s is not None:
        start_s, end_s = explanation.window_s
        lines.append(
            ("Window", f"{_s(start_s)} to {_s(end_s)}: arrivals due before its end and not yet done at its start")
        )
    return _grid(lines)


def _headline(told: Told) -> RenderableType:
    grade = {"held": Grade.PASS, "not held": Grade.FAIL}.get(told.result) or Grade(told.result)
    line = Table.grid(padding=(0, 2))
    symbol = Text(f"{SYMBOLS[grade]} {told.result}", STYLES[grade], no_wrap=True)
    line.add_row(symbol, Text(clean(f"{told.title} ({told.name})"), "bold"))
    return line


def _body(told: Told, shown: Set[KindTold]) -> RenderableType:
    is_check = not told.promise
    lines = [("Promise", told.promise), ("Rule" if is_check else "Formula", told.formula)]
    lines += [("Rows", text) for kind in told.rows for text in _kind(kind, again=kind in shown)]
    lines += [("Entries", text) for text in _entries(told.entries)]
    lines += [("Figures", text) for text in told.figures]
    lines += [("Value", told.value), ("Bounds", told.bounds), ("Found" if is_check else "Grade", told.decided)]
    lines += [("To settle", told.settles)]
    return _grid([(label, text) for label, text in lines if text])


def _grid(lines: Sequence[tuple[str, str]]) -> RenderableType:
    """Labels on the left, each once for all its lines; text on the right, folded below its own indentation."""
    grid = Table.grid(Column(width=2), Column(no_wrap=True), Column(overflow="fold"), padding=(0, 1))
    before = ""
    for label, text in lines:
        indent = len(text) - len(text.lstrip())
        folded = Padding(Text(clean(text.lstrip())), (0, 0, 0, indent))
        grid.add_row(Text(), Text("" if label == before else label), folded)
        before = label
    return grid


def _kind(kind: KindTold, *, again: bool) -> Iterator[str]:
    """`again`: its first and last row stand above already."""
    if again and kind.first is not None:
        yield f"{kind.count:,} {kind.says}, as above"
        return
    yield f"{kind.count:,} {kind.says}"
    if kind.first is not None and kind.count == 1:
        yield f"  {_row(kind.first)}"
    elif kind.first is not None and kind.last is not None:
        yield f"  first: {_row(kind.first)}"
        yield f"  last: {_row(kind.last)}"


def _row(row: RowTold) -> str:
    sent = "never sent" if row.sent_s is None else f"sent {_s(row.sent_s)}"
    took = "" if row.latency_ms is None else f", {row.latency_ms:.3f} ms"
    region = f" of {row.region}" if row.region else ""
    error = f", {row.error}" if row.error else ""
    return f"due {_s(row.due_s)}, {sent}{took}, {row.endpoint}{region}, status {row.status}{error} ({row.worker})"


def _entries(entries: Sequence[EntryTold]) -> Iterator[str]:
    half = SHOWN // 2
    for index, entry in enumerate(entries):
        if len(entries) <= SHOWN or not half <= index < len(entries) - half:
            yield _entry(entry)
        elif index == half:
            yield f"… {len(entries) - SHOWN:,} more, which --json has"


def _entry(entry: EntryTold) -> str:
    when = _s(entry.latest_s)
    if entry.earliest_s != entry.latest_s:
        when = f"{_s(entry.earliest_s)} to {when}"
    what = " ".join(filter(None, (entry.kind, entry.event, entry.name)))
    where = f" in {entry.context}" if entry.context else ""
    uid = f" (UID {entry.uid})" if entry.uid else ""
    return f"{when}: {what}{uid}{where}" + (f": {entry.says}" if entry.says else "")


def _s(seconds: float) -> str:
    return f"{seconds:+.3f} s"
