"""`gameday compare`: the newest runs against past ones."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gameday.commands.options import FiniteRange, json_result_option

if TYPE_CHECKING:
    from scorer.past import Comparison

EXAMPLES = """
\b
Examples:
  gameday compare runs/latest --against runs/20260101T090000Z-pod-kill
  gameday compare $(jq -r '.drills[].run | "runs/\\(.)"' runs/latest-gameday/gameday.json) \\
      --against runs/202601*-pod-kill
"""


class _UpToNextOption(click.Command):
    """`--against` takes every folder that follows it, as a shell's `*` gives them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = args.index("--against") if "--against" in args else len(args)
        end = next((i for i in range(at + 1, len(args)) if args[i].startswith("-")), len(args))
        many = [word for folder in args[at + 1 : end] for word in ("--against", folder)]
        return super().parse_args(ctx, [*args[:at], *(many or args[at:end]), *args[end:]])


@click.command(cls=_UpToNextOption, epilog=EXAMPLES)
@click.argument("newest", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN...")
@click.option(
    "--against",
    "past",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    metavar="RUN...",
    help="The past runs, all that follow.",
)
@click.option(
    "--confidence",
    type=FiniteRange(min=0.5, max=1, max_open=True),
    default=0.95,
    show_default=True,
    help="Of each bound.",
)
@json_result_option
def compare(newest: tuple[Path, ...], past: tuple[Path, ...], confidence: float, as_json: bool) -> int:
    """Compare the newest RUNs with past ones of the same drill and regions, metric by metric: how far each shifted, and
    what that shows.

    An exact test by ranks; where there are too few runs to show anything, it says how many it takes. The exit code is
    1 where a metric got worse, else 3 where one went missing or can't be compared, else 0.
    """
    from gameday.errors import BadInput
    from gameday.shelf import read_shelf
    from gameday.terminal import output_console, write_out
    from report.comparison import comparisons_json, print_comparisons
    from scorer.comparisons import compare_runs, histories

    shelves = [read_shelf(given, Path("runs")) for given in (newest, past)]
    for path in (path for shelf in shelves for path in shelf.unjudged):
        raise BadInput("has no verdict to compare", where=str(path), do=f"run `gameday score {path}`, or leave it out")
    ours, theirs = (shelf.runs for shelf in shelves)
    both = {run.verdict.run for run in ours} & {run.verdict.run for run in theirs}
    if both:
        raise BadInput("is on both sides", where=min(both), do="name it on one of them")
    found, levels = compare_runs(ours, theirs, confidence), histories(ours, theirs, confidence)
    if as_json:
        write_out(comparisons_json(found, levels))
    else:
        print_comparisons(found, levels, output_console())
    return _code(found.values())


def _code(found: Iterable[list[Comparison]]) -> int:
    """found: the comparisons of each drill; one whose metrics are all new was compared with nothing."""
    from gameday.exit_codes import ExitCode
    from scorer.past import Change

    drills = [{comparison.change for comparison in comparisons} for comparisons in found]
    changes = {change for drill in drills for change in drill}
    if Change.REGRESSION in changes:
        return ExitCode.FAILED
    shown = not changes & {Change.MISSING, Change.INCONCLUSIVE} and all(drill - {Change.NEW} for drill in drills)
    return ExitCode.PASSED if shown else ExitCode.NOTHING_SHOWN
