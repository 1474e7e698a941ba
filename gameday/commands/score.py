"""`gameday score`: a verdict from a bundle, now or a year later."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gameday.commands.options import json_option, strict_option

if TYPE_CHECKING:
    from bundle.reader import Bundle
    from scorer.targets import Targets
    from scorer.verdict import Verdict

EXAMPLES = """
\b
Examples:
  gameday score runs/latest
  gameday score runs/20260101T090000Z-pod-kill --targets runbook/targets.yaml
  gameday score runs/latest --explain | less
  gameday score runs/latest --json | jq '.objectives[] | {name, verdict}'
"""


@click.command(epilog=EXAMPLES)
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--targets",
    type=click.Path(path_type=Path),
    help="Judge by these targets instead of those in the bundle. verdict.json is then left as it is.",
)
@click.option(
    "--explain", "explained", is_flag=True, help="Tell from which rows and entries each verdict came, and how."
)
@json_option
@strict_option
def score(bundle: Path, targets: Path | None, explained: bool, as_json: bool, strict: bool) -> int:
    """Score the run BUNDLE and print the verdict.

    Without --targets, the targets that were in force at the run are used, and verdict.json and report.html are written
    into the bundle. --json with --explain prints the explanation as JSON. The exit code is the verdict's
    (docs/exit-codes.md).
    """
    return conclude(bundle, targets=targets, explained=explained, as_json=as_json, strict=strict)


def conclude(root: Path, *, targets: Path | None = None, explained: bool = False, as_json: bool, strict: bool) -> int:
    """Score the bundle at `root`, write and print the verdict; returns the exit code. Raises ExplainedError."""
    from gameday.exit_codes import of_verdict
    from gameday.judgement import REPORT, judge, keep
    from gameday.terminal import output_console, write_out
    from report.terminal import print_verdict

    bundle, promised, verdict = judge(root, targets)
    if not as_json:
        print_verdict(verdict, output_console(), bundle=root, report=root / REPORT if targets is None else None)
    elif not explained:
        write_out(verdict.to_json())
    if explained:
        _explain(bundle, promised, verdict, as_json=as_json)
    if targets is None:
        keep(bundle, verdict)
    return of_verdict(verdict.verdict, strict=strict)


def _explain(bundle: Bundle, targets: Targets, verdict: Verdict, *, as_json: bool) -> None:
    from gameday.terminal import output_console, write_out
    from report.explain import print_explanation
    from scorer.explain import explain

    explanation = explain(bundle, targets, verdict)
    if as_json:
        write_out(explanation.to_json())
        return
    console = output_console()
    console.print()
    print_explanation(explanation, console)
