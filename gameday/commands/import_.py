"""`gameday import`: the requests that another load generator sent, in a bundle that can be scored."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from gameday.commands.options import FiniteRange
from gameday.imports.recognise import FORMATS

EXAMPLES = """
\b
Examples:
  gameday import results.json --into runs/latest --rate 100
  vegeta encode < results.bin | gameday import - --into runs/latest --rate 100
  gameday import results.jtl --into runs/latest --model closed
  gameday import k6.json --drill pod-kill
"""


@click.command("import", epilog=EXAMPLES)
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--format", "format_", type=click.Choice(FORMATS), help="What FILE is. Default: what it looks like.")
@click.option("--into", type=click.Path(path_type=Path), metavar="RUN", help="A drill that was run with `--load none`.")
@click.option("--drill", metavar="NAME", help="Without --into: which drill of the targets the new bundle is of.")
@click.option(
    "--targets",
    type=click.Path(path_type=Path),
    default=Path("runbook/targets.yaml"),
    show_default=True,
    help="What is promised; a new bundle keeps a copy.",
)
@click.option(
    "--runs",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="Folder that a new bundle goes to.",
)
@click.option(
    "--model",
    type=click.Choice(["open", "closed"]),
    help="Whether arrivals came by schedule or users waited for answers. Default: open for vegeta, with --rate, and "
    "where k6 dropped iterations; else closed.",
)
@click.option(
    "--rate",
    "rate_per_s",
    type=FiniteRange(min=0, min_open=True),
    metavar="PER_SECOND",
    help="The even rate at which requests were due: it lets missing ones be seen.",
)
@click.option("--host", default="", metavar="URL", help="Where the load went.")
@click.option("--timeout", "timeout_s", type=FiniteRange(min=0), metavar="SECONDS", help="The generator's time-out.")
@click.option(
    "--clock-within",
    "clock_within_s",
    type=FiniteRange(min=0, max=3600),
    metavar="SECONDS",
    help="How far the generator's clock may have been from this machine's; 0 where it ran here. Default: not known, "
    "which weakens the verdict.",
)
@click.option("--worker", default="imported", show_default=True, metavar="NAME", help="A name for the generator.")
def import_(
    file: Path,
    format_: str | None,
    into: Path | None,
    drill: str | None,
    targets: Path,
    runs: Path,
    model: Literal["open", "closed"] | None,
    rate_per_s: float | None,
    host: str,
    timeout_s: float | None,
    clock_within_s: float | None,
    worker: str,
) -> int:
    """Take the requests in FILE, which another load generator wrote, into a bundle; `-` is standard input.

    With --into, they become the load of a drill that ran without one. Without, they make a new bundle, of which nothing
    but its requests is known. What the format can't say is named in the bundle and weakens its verdict
    (docs/importing.md).
    """
    if (into is None) == (drill is None):
        raise click.UsageError("Give either --into RUN or --drill NAME.")
    if rate_per_s is not None and model == "closed":
        raise click.UsageError("A closed load has no rate: leave out --rate or --model closed.")

    from gameday.imports.formats import format_of
    from gameday.imports.into import Load, Meter, import_into, import_new, spell
    from gameday.imports.source import opened
    from gameday.wording import endpoint

    load = Load(model, rate_per_s, endpoint(host), timeout_s, worker, clock_within_s)
    watch = Meter(lambda text: click.echo(text, err=True))
    with opened(file) as source:
        name = format_of(source, format_)
        if into is not None:
            done = import_into(source, name, into, load, watch)
        else:
            done = import_new(source, name, runs, drill or "", targets, load, watch)
    tally = done.tally
    within = "" if done.within is None else f", {done.within:,} of them within the drill"
    span = spell(tally.first_ns or 0, tally.last_ns or 0)
    click.echo(
        f"{done.root}: {tally.rows:,} requests from {name}{within}; {tally.bad:,} bad, {tally.unsent:,} unsent; {span}"
    )
    if tally.torn:
        click.echo("left out: the last line, which is cut")
    if tally.unreadable:
        click.echo(
            f"left out: {tally.unreadable:,} lines that cannot be read, the first is line {tally.first_unreadable}"
        )
    if tally.absurd:
        click.echo(f"left out: {tally.absurd:,} requests with times or statuses that cannot be")
    for what, count in tally.left_out.items():
        click.echo(f"left out: {count:,} {what}")
    click.echo(f"lacks: {', '.join(done.record.lacks) or 'nothing'} (load: {done.record.model})")
    click.echo(f"next: gameday score {done.root}")
    return 0
