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
    """Restore what the run in BUNDLE changed: every deployment gets back the replicas it had before the fault.

    Needed after exit code 6, and after a run that was killed. Running it twice does no harm.
    """
    from gameday.cluster import Cluster
    from gameday.errors import RollbackIncomplete
    from gameday.undo import Undo

    undo = Undo.load(bundle)
    contexts = {before.context for before in undo.record.before}
    remains = undo.restore({context: Cluster.from_kubeconfig(context) for context in sorted(contexts)})
    if remains:
        raise RollbackIncomplete("; ".join(remains), where=str(bundle), do="mend that and run `gameday recover` again")
    click.echo(f"{bundle}: everything is as it was before the fault")
    return 0
