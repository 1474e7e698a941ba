"""The command line: which subcommands there are, and how errors end. Each is imported only when it is called."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

from bundle.errors import ExplainedError
from gameday import __version__
from gameday.errors import InternalError

COMMANDS = {
    "run": ("gameday.commands.run", "run", "Run a drill, or a game day, and give its verdict."),
    "plan": ("gameday.commands.plan", "plan", "Show what a game day would run and touch."),
    "score": ("gameday.commands.score", "score", "Score a run bundle again."),
    "passrate": ("gameday.commands.passrate", "passrate", "Show the chaos pass rate of the runs that were kept."),
    "compare": ("gameday.commands.compare", "compare", "Compare the newest runs with past ones."),
    "import": ("gameday.commands.import_", "import_", "Take over the requests that another load generator sent."),
    "recover": ("gameday.commands.recover", "recover", "Put back what a run changed."),
    "sandbox": ("sandbox.cli", "sandbox", "Three regions on this machine, without a cluster."),
    "completion": ("gameday.commands.completion", "completion", "Print a shell completion script."),
}
"""Module, attribute and short help of each subcommand."""

EXAMPLES = """
\b
Examples:
  gameday sandbox up
  gameday run experiments/pod-kill.yaml --load loadprofiles/steady.py --context us-east-1
  gameday score runs/latest
  gameday run weekly
  gameday sandbox down
"""


class LazyGroup(click.Group):
    """A group that imports a subcommand when it is called, so that `gameday --help` starts in a moment."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, _, help_) in COMMANDS.items()])


@click.command(cls=LazyGroup, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gameday")
def gameday() -> None:
    """Chaos and load drills for Kubernetes, with a verdict you can defend.

    A drill is a Chaos Toolkit experiment under a Locust load profile. Everything that happens is recorded, and scored
    against the targets in runbook/targets.yaml.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point: run the command and exit with its documented code, every error one line on standard error."""
    sys.exit(invoke(arguments))


def invoke(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code. GAMEDAY_TRACEBACK=1 lets an internal error through with its traceback."""
    try:
        code = gameday.main(arguments, prog_name="gameday", standalone_mode=False)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "gameday"
        return _complain(f"{error.format_message()} See `{command} --help`.", 2)
    except click.Abort:
        return _complain("interrupted", 5)
    except Exception as error:
        explained = isinstance(error, ExplainedError)
        if not explained and os.environ.get("GAMEDAY_TRACEBACK"):
            raise
        exit_code = getattr(error, "exit_code", None)
        if exit_code is not None:
            return _complain(error.line() if isinstance(error, ExplainedError) else str(error), exit_code)
        internal = InternalError(error)
        return _complain(internal.line(), internal.exit_code)
    return code if isinstance(code, int) else 0


def _complain(text: str, exit_code: int) -> int:
    click.echo(f"gameday: {' '.join(text.split())}", err=True)
    return exit_code
