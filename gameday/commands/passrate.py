"""`gameday passrate`: the chaos pass rate of the runs that were kept."""

from __future__ import annotations

from pathlib import Path

import click

from gameday.commands.options import json_result_option, strict_option

EXAMPLES = """
\b
Examples:
  gameday passrate
  gameday passrate runs/*-pod-kill --plan release-gate
  gameday passrate --json | jq '.pass_rate.plain.always.measure'
"""


@click.command(epilog=EXAMPLES)
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path), metavar="[RUN]...")
@click.option(
    "--plan",
    type=click.Path(path_type=Path),
    default=Path("weekly"),
    show_default=True,
    help="The game day whose pass rate is promised: a name in runbook/, or a path.",
)
@click.option(
    "--runs",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="Folder of the run bundles, all of which count where no RUN is named.",
)
@json_result_option
@strict_option
def passrate(runs: tuple[Path, ...], plan: Path, folder: Path, as_json: bool, strict: bool) -> int:
    """Show the chaos pass rate over RUNs, or over all runs that were kept, by drill and region.

    Invalid runs don't count, and runs without a verdict can't; both are told. Runs of a game day weigh as much as its
    plan gave them. The exit code is that of the rate's grade, by the bounds that hold at every look, and 3 at best
    where a drill of the plan has no valid run, or none that is recent enough.
    """
    import time

    from gameday.agenda import Agenda, agenda_path
    from gameday.exit_codes import ExitCode, of_verdict
    from gameday.shelf import read_shelf
    from gameday.terminal import output_console, write_out
    from report.passrate import pass_rate_json, print_pass_rate
    from report.terminal import clean
    from scorer.passrate import Subject, pass_rate

    agenda = Agenda.load(agenda_path(plan))
    promise = agenda.pass_rate
    shelf = read_shelf(runs, folder)
    rate = pass_rate(
        shelf.runs,
        promise.target / 100,
        threshold=None if promise.threshold is None else promise.threshold / 100,
        confidence=promise.confidence,
        now_ns=time.time_ns(),
        stale_after_days=promise.stale_after_days,
        strict=strict,
    )
    unjudged = [str(path) for path in shelf.unjudged]
    lately = {share.subject for share in rate.drills if not share.stale}
    # an item without contexts runs in whichever is the current one
    lately |= {Subject(share.drill) for share in lately}
    planned = {Subject(item.judged_as, item.contexts or agenda.contexts) for item in agenda.drills}
    not_shown = [str(subject) for subject in sorted(planned - lately)]
    if as_json:
        write_out(pass_rate_json(rate, unjudged, not_shown))
    else:
        console = output_console()
        print_pass_rate(rate, console)
        if unjudged:
            text = f"Not counted, for want of a verdict: {clean(', '.join(unjudged))}"
            console.print(text, markup=False, highlight=False)
        if not_shown:
            text = f"Drills of the plan without a valid run of late: {clean(', '.join(not_shown))}"
            console.print(text, markup=False, highlight=False)
    code = of_verdict((rate.by_severity or rate.plain).always.verdict, strict=strict)
    return ExitCode.NOTHING_SHOWN if not_shown and code is ExitCode.PASSED else code
