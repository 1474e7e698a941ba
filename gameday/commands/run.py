"""`gameday run`: one drill, from its inputs to its verdict, or all drills of a game day."""

from __future__ import annotations

from pathlib import Path

import click

from gameday.commands.options import FiniteRange, json_option, strict_option

NO_LOAD = "none"
EXAMPLES = """
\b
Examples:
  gameday run experiments/pod-kill.yaml --load loadprofiles/steady.py
  gameday run experiments/pod-kill.yaml --load loadprofiles/steady.py --context us-east-1 --rate 50
  gameday run experiments/pod-kill.yaml --load loadprofiles/steady.py --json | jq .verdict
  gameday run experiments/pod-kill.yaml --load none --rate 50      # k6 sends it; then: gameday import k6.json
  gameday run weekly                                               # the drills of runbook/weekly.yaml
  gameday run release-gate --strict --json > gameday.json
"""
OF_A_DAY = {"experiment", "runs", "as_json", "strict"}
"""What may be said of a game day; everything else is its plan's."""


@click.command(epilog=EXAMPLES)
@click.argument("experiment", type=click.Path(path_type=Path))
@click.option(
    "--load",
    "profile",
    type=click.Path(path_type=Path),
    help="Load profile: a Locust file, such as loadprofiles/steady.py; `none` where another generator sends the load, "
    "whose record `gameday import` adds.",
)
@click.option(
    "--context",
    "contexts",
    multiple=True,
    metavar="NAME",
    help="Kubernetes context to act on and watch; repeat it to watch more. Default: the current one.",
)
@click.option("--namespace", metavar="NAME", help="Namespace. Default: the context's own, else `default`.")
@click.option(
    "--host",
    metavar="URL",
    help="Where the load goes. Default: GAMEDAY_HOST, else the Service labelled gameday.dev/entry=true.",
)
@click.option(
    "--targets",
    type=click.Path(path_type=Path),
    default=Path("runbook/targets.yaml"),
    show_default=True,
    help="What is promised.",
)
@click.option(
    "--drill", metavar="NAME", help="Which drill of the targets this is. Default: the experiment's file name."
)
@click.option(
    "--rate",
    "rate_per_s",
    type=FiniteRange(min=0, max=100_000),
    metavar="PER_SECOND",
    help="Highest arrival rate, a second. Default: the profile's own.",
)
@click.option(
    "--duration",
    "duration_s",
    type=FiniteRange(min=0, min_open=True, max=7 * 86_400),
    metavar="SECONDS",
    help="Length of the rate's shape: its ramp, peak or period. Default: the profile's own.",
)
@click.option(
    "--spacing", type=click.Choice(["uniform", "poisson"]), help="How arrivals are spaced. Default: the profile's."
)
@click.option(
    "--users",
    type=click.IntRange(1, 100_000),
    metavar="N",
    help="Users of a closed-loop profile, who all come at once. Default: Locust's, one.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="N",
    help="Processes of this machine that share the load.",
)
@click.option(
    "--load-at",
    metavar="HOST:PORT",
    help="Have the load sent from elsewhere: by the master and workers of deploy/locust, whose token is in "
    "GAMEDAY_LOAD_TOKEN.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of arrivals and choices.")
@click.option(
    "--warm-up",
    "warm_up_s",
    type=FiniteRange(min=0),
    default=5,
    show_default=True,
    metavar="SECONDS",
    help="Before the baseline.",
)
@click.option(
    "--baseline",
    "baseline_s",
    type=FiniteRange(min=1),
    default=15,
    show_default=True,
    metavar="SECONDS",
    help="At least this long, and until it has settled.",
)
@click.option(
    "--recovery-max",
    "recovery_max_s",
    type=FiniteRange(min=1),
    default=180,
    show_default=True,
    metavar="SECONDS",
    help="Wait for recovery no longer than this.",
)
@click.option(
    "--cool-down",
    "cool_down_s",
    type=FiniteRange(min=0),
    default=5,
    show_default=True,
    metavar="SECONDS",
    help="After recovery.",
)
@click.option(
    "--runs",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="Folder of the run bundles.",
)
@json_option
@strict_option
def run(
    experiment: Path,
    profile: Path | None,
    contexts: tuple[str, ...],
    namespace: str | None,
    host: str | None,
    targets: Path,
    drill: str | None,
    rate_per_s: float | None,
    duration_s: float | None,
    spacing: str | None,
    users: int | None,
    workers: int,
    load_at: str | None,
    seed: int,
    warm_up_s: float,
    baseline_s: float,
    recovery_max_s: float,
    cool_down_s: float,
    runs: Path,
    as_json: bool,
    strict: bool,
) -> int:
    """Run EXPERIMENT under load against a Kubernetes context, and give the verdict.

    The experiment is an ordinary Chaos Toolkit file. Everything is recorded as a bundle under runs/; load is stopped
    and the fault undone whatever happens, also on Ctrl-C. The exit code is the verdict's (docs/exit-codes.md).

    In place of EXPERIMENT may stand the name of a game day in runbook/, such as `weekly`, or the path of its plan: then
    its drills run one after another, as the plan says (docs/gameday.md).
    """
    from gameday.agenda import agenda_at

    if (day := agenda_at(experiment, load=profile is not None)) is not None:
        _refuse_beside_a_plan(day)
        from gameday.holding import hold_day

        return hold_day(day, runs, as_json=as_json, strict=strict)
    if profile is None:
        raise click.MissingParameter(ctx=click.get_current_context(), param_type="option", param_hint="'--load'")

    import signal
    from datetime import UTC, datetime

    from gameday.commands.score import conclude
    from gameday.execution import execute
    from gameday.guards import refuse_over_unfinished_undo
    from gameday.itemplan import limits_of
    from gameday.load.arrivals import Spacing
    from gameday.load.remote import address_of
    from gameday.load.schedule import Asked
    from gameday.plan import make_plan
    from gameday.runs import alone, new_root
    from gameday.terminal import progress_console

    # until the drill takes over, a SIGTERM ends the command as a Ctrl-C does: nothing has been started yet
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    plan = make_plan(
        experiment=experiment,
        profile=None if str(profile) == NO_LOAD else profile,
        targets=targets,
        contexts=contexts,
        namespace=namespace,
        host=host,
        drill=drill,
        asked=Asked(rate_per_s, duration_s, None if spacing is None else Spacing(spacing), users),
        seed=seed,
        workers=workers,
        load_at=address_of(load_at, workers),
        limits=limits_of(warm_up_s, baseline_s, recovery_max_s, cool_down_s),
        runs=runs,
    )
    with alone(runs):
        refuse_over_unfinished_undo(runs)
        root = new_root(runs, datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"), plan.name)
        execute(plan, root, progress_console())
    return conclude(root, as_json=as_json, strict=strict)


def _refuse_beside_a_plan(day: Path) -> None:
    """Raise where options were given that the plan of the game day decides."""
    from click.core import ParameterSource

    from gameday.errors import BadInput

    context = click.get_current_context()
    for parameter in context.command.get_params(context):
        name = parameter.name or ""
        if name not in OF_A_DAY and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = max(parameter.opts, key=len)
            raise BadInput(f"{option} is for a single drill", where=str(day), do="say it in the plan, drill by drill")
