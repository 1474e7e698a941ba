"""The chaos pass rate on a terminal: the drill that passes least often first, then the rate and what it shows."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import TypeAdapter
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from report import quantity
from report.terminal import STYLES, clean, show
from scorer.passrate import PassRate
from scorer.rate import Claim, Rate
from scorer.verdict import Grade


def print_pass_rate(rate: PassRate, console: Console) -> None:
    """Print the rate with its bounds, its probability, and how many more passes would show the target."""
    show(pass_rate_lines(rate), console)


def pass_rate_json(rate: PassRate, unjudged: Sequence[str], not_shown: Sequence[str]) -> str:
    """The rate as JSON. unjudged: the runs that can't be counted for want of a verdict. not_shown: the drills of the
    plan that have no valid run, or none that is recent enough."""
    told = TypeAdapter(PassRate).dump_python(rate, mode="json")
    return (
        json.dumps({"schema": 1, "pass_rate": told, "unjudged": list(unjudged), "not_shown": list(not_shown)}, indent=2)
        + "\n"
    )


def pass_rate_lines(rate: PassRate) -> RenderableType:
    """The rate as something that rich prints."""
    lines = Table.grid(padding=(0, 2))
    lines.add_column(no_wrap=True)
    lines.add_column(overflow="fold")
    target = f"target ≥ {quantity.number(100 * rate.target)} %"
    lines.add_row(Text("Chaos pass rate", "bold"), _headline(rate.plain, target))
    if rate.by_severity is not None:
        lines.add_row(Text("by severity"), _headline(rate.by_severity, target))
    for label, claim in (("at every look", _shown(rate).always), ("at a single look", _shown(rate).once)):
        lines.add_row(Text(label), _claim(claim))
    for share in rate.drills:
        style = STYLES[Grade.WARN] if share.stale else ""
        lines.add_row(Text("drill"), Text(clean(f"{share.says}, {quantity.bounds(share.measure)} %"), style))
    if rate.invalid:
        runs = clean(", ".join(rate.invalid))
        lines.add_row(
            Text("not counted"), Text(f"invalid, and so neither passed nor failed: {runs}", STYLES[Grade.INVALID])
        )
    return Group(lines)


def _shown(rate: PassRate) -> Rate:
    """The rate that is claimed: by severity where the plan weighs its drills."""
    return rate.by_severity or rate.plain


def _headline(rate: Rate, target: str) -> Text:
    measure = rate.always.measure
    known = "no valid run" if rate.probability is None else f"{quantity.value(measure)} of {measure.n} valid runs"
    chance = "" if rate.probability is None else f", met with probability {_probability(rate.probability)}"
    return Text(f"{known}; {target}{chance}")


def _claim(claim: Claim) -> Text:
    symbol = Text(f"{quantity.SYMBOLS[claim.verdict]} {claim.verdict.value}", STYLES[claim.verdict])
    more = claim.more_passes
    needed = {None: "; no number of passes would show it", 0: ""}.get(more, f"; {more} more passes in a row show it")
    return Text.assemble(symbol, f"  {quantity.bounds(claim.measure)} %{needed}")


def _probability(share: float) -> str:
    """In per cent, but never rounded to a certainty."""
    return "< 0.1 %" if share < 0.001 else "> 99.9 %" if share > 0.999 else f"{100 * share:.1f} %"
