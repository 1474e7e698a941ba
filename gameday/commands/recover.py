"""`gameday recover`: put back what a run changed and could not restore."""

from __future__ import annotations

from pathlib import Path

import click

EXAMPLES = """
\b
Examples:
  gameday recover runs/latest
"""


@click.command(epilog=EXAMPLES)
@click.argument("bundle", type=click.Path(path_type=Path))
def recover(bundle: Path) -> int:
    """Restore what the run in BUNDLE changed: every deployment gets back the replicas it had before the fault, but for
    what an autoscaler has set since, and what was made of Chaos Mesh's resources is removed.

    Needed after exit code 6, and after a run that was killed. Running it twice does no harm.
    """
    from bundle.errors import BundleError
    from gameday.cluster import Cluster
    from gameday.errors import RollbackIncomplete
    from gameday.owned import made_uid
    from gameday.runs import alone
    from gameday.undo import Undo

    if not bundle.is_dir():
        raise BundleError("no such bundle", where=str(bundle), do="give the folder of a run, such as runs/latest")
    Undo.load(bundle)  # refuses what was no run, before a lock is left beside it
    with alone(bundle.resolve().parent):
        undo = Undo.load(bundle)
        if undo.record.state == "undone":
            click.echo(f"{bundle}: was undone already")
            return 0
        owed = tuple(line for line in undo.record.remains if line.startswith("the experiment's rollback"))
        contexts = {before.context for before in undo.record.before} | {each.context for each in undo.record.chaos}
        remains = undo.restore({context: Cluster.from_kubeconfig(context) for context in sorted(contexts)})
        undo.finish(remains)
    if remains:
        raise RollbackIncomplete("; ".join(remains), where=str(bundle), do="mend that and run `gameday recover` again")
    left = [each for each in undo.record.before if each.autoscaled and not each.scaled]
    which = "every other deployment" if left else "every deployment"
    for deployment in left:
        click.echo(f"{bundle}: {deployment} has the replicas that its autoscaler sets")
    click.echo(f"{bundle}: {which} has the replicas it had before the fault")
    for each in undo.record.chaos:
        others = made_uid(bundle, each) == ""
        click.echo(f"{bundle}: {each} " + ("was there before, and is left alone" if others else "of this run is gone"))
    for line in owed:
        click.echo(f"{bundle}: {line}: do by hand what it would have done")
    return 0
