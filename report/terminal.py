"""The verdict on a terminal: the headline first, then why, then every number with its bounds.

Legible without colour (a symbol and a word carry each grade), in 80 columns, and in a pipe. Colour, width and
NO_COLOR are rich's to decide; where the terminal's encoding lacks a character, `?` stands for it.
"""

from __future__ import annotations

import io
from pathlib import Path

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from report import quantity
from scorer.verdict import Grade, Verdict

STYLES = {
    Grade.PASS: "bold green",
    Grade.WARN: "bold yellow",
    Grade.INCONCLUSIVE: "bold magenta",
    Grade.FAIL: "bold red",
    Grade.INVALID: "bold cyan",
}


def print_verdict(verdict: Verdict, console: Console, *, bundle: Path, report: Path | None = None) -> None:
    """Print the verdict, and below it where the bundle and the report lie."""
    show(verdict_table(verdict, bundle=bundle, report=report), console)


def show(renderable: RenderableType, console: Console) -> None:
    """Print it, with `?` for what the terminal's encoding lacks."""
    if not console.options.ascii_only:
        console.print(renderable)
        return
    plain = Console(file=io.StringIO(), width=console.width, color_system=None)
    plain.print(renderable)
    console.print(Text(plain.file.getvalue().encode("ascii", "replace").decode("ascii")), end="")  # type: ignore[attr-defined]


def verdict_table(verdict: Verdict, *, bundle: Path, report: Path | None = None) -> RenderableType:
    """The verdict as something that rich prints."""
    parts: list[RenderableType] = [_headline(verdict), *_caveats(verdict), Text(), _validity(verdict)]
    if verdict.objectives:
        parts += [Text(), _objectives(verdict), _reasons(verdict)]
    if verdict.measures:
        parts += [Text(), _measures(verdict), *_unknown(verdict)]
    parts += [Text(), _places(bundle, report)]
    return Group(*parts)


def _headline(verdict: Verdict) -> RenderableType:
    line = Table.grid(padding=(0, 2))
    line.add_row(_grade(verdict.verdict, upper=True), Text(clean(f"{verdict.drill}: {verdict.summary}"), "bold"))
    return line


def _caveats(verdict: Verdict) -> list[RenderableType]:
    if not verdict.caveats:
        return []
    lines = Table.grid(padding=(0, 2))
    for caveat in verdict.caveats:
        lines.add_row(Text("! caveat", STYLES[Grade.WARN], no_wrap=True), Text(clean(caveat)))
    return [lines]


def _validity(verdict: Verdict) -> RenderableType:
    broken = [check for check in verdict.validity if not check.ok]
    total = len(verdict.validity)
    held = f"{total - len(broken)} of {total} checks held"
    lines = Table.grid(padding=(0, 2))
    if not broken:
        lines.add_row(Text("Validity"), Text(f"✓ {held}" if total else "no check was made"))
        return lines
    lines.add_row(Text("Validity"), Text(f"{held}; no figure below can be claimed:"))
    for check in broken:
        lines.add_row(Text(), Text.assemble(("✗ ", STYLES[Grade.FAIL]), clean(f"{check.title}: {check.says}")))
    return lines


def _objectives(verdict: Verdict) -> RenderableType:
    table = _table("Objective", "Verdict", "Measured", "Bounds", "Target")
    for objective in verdict.objectives:
        measure = objective.measure
        table.add_row(
            Text(clean(objective.title)),
            _grade(objective.verdict),
            Text(clean(quantity.value(measure))),
            Text(quantity.bounds(measure)),
            Text(clean(quantity.promise(objective))),
        )
    return table


def _reasons(verdict: Verdict) -> RenderableType:
    """A line for each objective that did not pass, and the stages of each duration."""
    lines = Table.grid(padding=(0, 1))
    for objective in verdict.objectives:
        says = [objective.says] if objective.verdict is not Grade.PASS else []
        for text in [*says, *filter(None, [quantity.stages(objective.measure)])]:
            symbol = Text("  " + quantity.SYMBOLS[objective.verdict], STYLES[objective.verdict])
            lines.add_row(symbol, Text(clean(f"{objective.title}: {text}")))
    return lines


def _measures(verdict: Verdict) -> RenderableType:
    table = _table("Shown, not judged", "Measured", "Bounds")
    for measure in verdict.measures:
        table.add_row(
            Text(clean(quantity.title(measure.name))),
            Text(clean(quantity.value(measure))),
            Text(quantity.bounds(measure)),
        )
    return table


def _unknown(verdict: Verdict) -> list[RenderableType]:
    """A line for each reason why a measure rests on nothing at all."""
    reasons = dict.fromkeys(m.evidence[0] for m in verdict.measures if m.value is None and m.n == 0 and m.evidence)
    return [Text(f"  ? {clean(reason)}") for reason in reasons]


def _places(bundle: Path, report: Path | None) -> RenderableType:
    lines = Table.grid(Column(), Column(overflow="fold"), padding=(0, 2))
    if report is not None:
        lines.add_row(Text("Report"), Text(clean(str(report))))
    lines.add_row(Text("Bundle"), Text(clean(str(bundle))))
    return lines


def _table(*headers: str) -> Table:
    """A table whose first column, of names, wraps in a narrow terminal before any number does."""
    columns = [Column(header, overflow="fold", no_wrap=index > 0) for index, header in enumerate(headers)]
    return Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)


def _grade(grade: Grade, *, upper: bool = False) -> Text:
    word = grade.value.upper() if upper else grade.value
    return Text(f"{quantity.SYMBOLS[grade]} {word}", STYLES[grade], no_wrap=True)


def clean(text: str) -> str:
    """`text` on one line and without control characters: a server's answer must not steer the terminal."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text)
