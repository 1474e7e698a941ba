"""`gameday completion`: the script that makes a shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

EXAMPLES = """
\b
Examples:
  eval "$(gameday completion bash)"
  gameday completion zsh > ~/.zfunc/_gameday
  gameday completion fish > ~/.config/fish/completions/gameday.fish
"""


@click.command(epilog=EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print the completion script for SHELL."""
    make = get_completion_class(shell)
    assert make is not None  # click has all three
    click.echo(make(context.find_root().command, {}, "gameday", "_GAMEDAY_COMPLETE").source())
    return 0
