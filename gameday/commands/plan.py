"""`gameday plan`: what a game day would run and touch, with nothing touched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gameday.commands.options import json_result_option

if TYPE_CHECKING:
    from gameday.preview import Preview

EXAMPLES = """
\b
Examples:
  gameday plan weekly
  gameday plan runbook/release-gate.yaml --json | jq '.drills[].actions'
"""


@click.command(epilog=EXAMPLES)
@click.argument("plan", type=click.Path(path_type=Path))
@click.option(
    "--runs",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="Folder of the run bundles, whose guards are checked.",
)
@json_result_option
def plan(plan: Path, runs: Path, as_json: bool) -> int:
    """Show what the game day PLAN would run and touch: a name in runbook/, such as `weekly`, or a path.

    Everything is checked as `gameday run PLAN` checks it, clusters included; nothing is started and nothing changed.
    """
    from gameday.agenda import Agenda, agenda_path
    from gameday.guards import refuse_over_unfinished_undo
    from gameday.preview import preview_of
    from gameday.runs import alone
    from gameday.terminal import write_out

    found = preview_of(Agenda.load(agenda_path(plan)), runs)
    if (runs / ".lock").exists():  # where there is none, no drill was ever run, and none will be made here
        with alone(runs):
            refuse_over_unfinished_undo(runs)
    write_out(found.to_json() if as_json else _told(found))
    return 0


def _told(preview: Preview) -> str:
    """The game day in words, an indented line for each thing."""
    from report.quantity import number
    from report.terminal import clean

    lines = [f"{preview.title} ({preview.plan})"]
    for index, drill in enumerate(preview.drills, 1):
        times = "" if drill.repeats == 1 else f", {drill.repeats} times"
        load, rate = drill.load, drill.load.highest_per_s
        sent = "users who wait for answers" if rate is None else f"at most {number(rate)} requests/s"
        workers = "" if load.workers == 1 else f" from {load.workers} processes"
        lines += [
            "",
            f"{index}. {drill.name}{times}, severity {number(drill.severity)}: {drill.title}",
            f"   experiment  {drill.experiment}, judged as {drill.drill} by {', '.join(drill.objectives)}",
            f"   load        {load.profile}: {sent}{workers} to {load.host}",
            f"   lasts       {_span(drill.shortest_s, drill.longest_s)}",
        ]
        for context in drill.contexts:
            states = ", ".join(f"{d.name} {d.ready}/{d.replicas}" for d in context.deployments) or "no deployments"
            lines.append(f"   watches     {context.context}, namespace {context.namespace}: {states}")
        for action in drill.actions:
            proof = action.proof or "nothing, so that the drill would be invalid for it"
            lines += [
                f"   breaks      {action.name}: {action.does}",
                f"     calls     {action.calls}",
                f"     proven by {proof}",
                *(f"     undone by {way}" for way in action.undone_by),
            ]
    promise = preview.pass_rate
    beyond = "" if promise.threshold is None else f", threshold {number(promise.threshold)} %"
    lines += [
        "",
        f"In all {_span(preview.shortest_s, preview.longest_s)}. Pass rate: target {number(promise.target)} %{beyond}.",
        f"Guards, which hold now: {'; '.join(preview.guards)}.",
    ]
    return "\n".join(clean(line) for line in lines) + "\n"


def _span(shortest_s: float, longest_s: float) -> str:
    return f"from {shortest_s / 60:.1f} to {longest_s / 60:.0f} min"
