"""`gameday sandbox`: up, down, status. What each command does is in `launch`, `teardown` and `overview`."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import click

from sandbox.errors import SandboxError
from sandbox.exports import exports
from sandbox.network import DEFAULT_PREFIX, Network
from sandbox.options import period_options
from sandbox.periods import Periods
from sandbox.state import State, default_directory

INTERRUPTED = 5
NOT_HEALTHY = 3

UP_EXAMPLES = """
\b
Examples:
  gameday sandbox up
  gameday sandbox up --manner naive
  gameday sandbox up --network 127.65 --state /tmp/second
"""
DOWN_EXAMPLES = """
\b
Examples:
  gameday sandbox down
  gameday sandbox down --state /tmp/second
"""
STATUS_EXAMPLES = """
\b
Examples:
  gameday sandbox status
  gameday sandbox status --json | jq .memory_bytes
"""

EXEC_EXAMPLES = """
\b
Examples:
  gameday sandbox exec -- kubectl get pods -A
  gameday sandbox exec --manner naive -- gameday run experiments/pod-kill.yaml --load loadprofiles/steady.py
"""

state_option = click.option(
    "--state",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where kubeconfig, certificates and logs lie. Default: $GAMEDAY_SANDBOX_DIR, else gameday/sandbox in the "
    "XDG state directory.",
)


GROUP_EXAMPLES = """
\b
Examples:
  gameday sandbox up
  gameday sandbox status
  gameday sandbox down
"""


@click.group(epilog=GROUP_EXAMPLES)
def sandbox() -> None:
    """Three regions on this machine, without a cluster.

    API servers that kubectl and every other client can speak to, pods that are real processes, and Envoy in front.
    """


manner_option = click.option(
    "--manner",
    type=click.Choice(["hardened", "naive"]),
    default="hardened",
    show_default=True,
    help="How the reference service is run: with retries, probes and graceful stop, or with none of them.",
)
network_option = click.option(
    "--network",
    "prefix",
    default=DEFAULT_PREFIX,
    show_default=True,
    metavar="127.N",
    help="The loopback network to use; sandboxes on different ones run side by side.",
)
prometheus_option = click.option(
    "--prometheus/--no-prometheus",
    "wants_prometheus",
    default=None,
    help="One Prometheus a region, scraping every second. Default: where it is on PATH, or `make tools` got it.",
)
timeout_option = click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=1),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for every pod to be ready.",
)


@sandbox.command(epilog=UP_EXAMPLES)
@manner_option
@network_option
@prometheus_option
@timeout_option
@state_option
@period_options
def up(
    manner: str,
    prefix: str,
    wants_prometheus: bool | None,
    timeout_s: float,
    directory: Path | None,
    **periods: float,
) -> None:
    """Start a sandbox and wait until it serves.

    Does nothing where the same one runs already. Cleans up first where one was killed. Interrupted, it takes down what
    it started. Not ready in time, it exits 3 and leaves everything to be looked at.
    """
    state = _state(directory)
    _bring_up(state, Network(prefix), manner, wants_prometheus, timeout_s, Periods(**periods))
    for name, value in exports(state).items():
        click.echo(f"export {name}={shlex.quote(value)}")


@sandbox.command("exec", epilog=EXEC_EXAMPLES)
@manner_option
@network_option
@prometheus_option
@timeout_option
@state_option
@period_options
@click.argument("command", nargs=-1, required=True)
def execute(
    manner: str,
    prefix: str,
    wants_prometheus: bool | None,
    timeout_s: float,
    directory: Path | None,
    command: tuple[str, ...],
    **periods: float,
) -> None:
    """Run COMMAND with a sandbox up, take the sandbox down, and exit with the command's code.

    COMMAND finds the sandbox by KUBECONFIG, and its Prometheus by GAMEDAY_PROMETHEUS. A Ctrl-C is the command's to
    handle; the sandbox goes down after it. One that was up before stays up.
    """
    from sandbox.teardown import tear_down

    state = _state(directory)
    started = _bring_up(state, Network(prefix), manner, wants_prometheus, timeout_s, Periods(**periods))
    try:
        code = _run({**os.environ, **exports(state)}, command)
    finally:
        if started:
            with state.locked():
                tear_down(state)
            click.echo("sandbox: down", err=True)
    sys.exit(code)


def _prometheus(wanted: bool | None) -> Path | None:
    """The program to start; `SandboxError` where it is asked for and isn't there."""
    from sandbox.prometheus.program import find

    found = None if wanted is False else find(os.environ)
    if wanted and found is None:
        raise SandboxError("no program of that name", where="prometheus", do="run `make tools`, or put one on PATH")
    return found


def _bring_up(
    state: State, network: Network, manner: str, wants_prometheus: bool | None, timeout_s: float, periods: Periods
) -> bool:
    """Bring a sandbox up; False where the same one was up already. Interrupted, exit 5 with everything down again."""
    # Imported late: they need half a second, and `--help` doesn't need them.
    from sandbox.launch import Plan, launch
    from sandbox.teardown import tear_down

    prometheus = _prometheus(wants_prometheus)
    # A CI job that is cancelled gets SIGTERM; it is to end as Ctrl-C does.
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with state.locked():
            try:
                with _progress() as tell:
                    started = launch(Plan(state, network, manner, timeout_s, prometheus, periods), tell)
            except KeyboardInterrupt:
                click.echo("interrupted: taking everything down", err=True)
                tear_down(state)
                sys.exit(INTERRUPTED)
    finally:
        signal.signal(signal.SIGTERM, previous)
    click.echo(f"sandbox: {'up' if started else 'already up'}, {manner}, entry http://{network.entry}", err=True)
    return started


def _run(environment: dict[str, str], command: tuple[str, ...]) -> int:
    """Run a command to its end and return its code as a shell would; a SIGTERM is handed on to it.

    The terminal sends its Ctrl-C to the command as well as to this process, which therefore only waits.
    """
    import subprocess

    try:
        child = subprocess.Popen(command, env=environment)
    except OSError as error:
        raise SandboxError(
            f"cannot be started: {error.strerror}", where=command[0], do="give a command that is on PATH"
        ) from None
    previous = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: child.terminate()),
    }
    try:
        code = child.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


@sandbox.command(epilog=DOWN_EXAMPLES)
@state_option
def down(directory: Path | None) -> None:
    """End a sandbox and leave nothing of it: no process, no socket, no file.

    Works on one whose supervisor was killed, too. Exits 0 where nothing was running.
    """
    from sandbox.teardown import tear_down

    state = _state(directory)
    with state.locked():
        click.echo("down" if tear_down(state) else "nothing was running", err=True)


@sandbox.command(epilog=STATUS_EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
@state_option
def status(as_json: bool, directory: Path | None) -> None:
    """Say what runs, what is ready and what it uses.

    Exits 0 where every pod is ready, 3 where one isn't or where no sandbox runs.
    """
    from sandbox.overview import overview

    state = _state(directory)
    seen = overview(state)
    if as_json:
        import dataclasses
        import json

        click.echo(json.dumps(dataclasses.asdict(seen), indent=2))
    else:
        from sandbox.statustable import print_status

        print_status(seen, exports(state))
    sys.exit(NOT_HEALTHY if seen.trouble else 0)


def _state(directory: Path | None) -> State:
    return State(directory or default_directory(os.environ))


class _progress:
    """Shows what is waited for: a spinner on a terminal, else a line for each change. Used by `with`."""

    def __enter__(self) -> Callable[[str], None]:
        from rich.console import Console

        console = Console(stderr=True, highlight=False)
        self._spinner = console.status("starting") if console.is_terminal else None
        self._said = ""
        if self._spinner:
            self._spinner.start()
        return self._tell

    def __exit__(self, *_: object) -> None:
        if self._spinner:
            self._spinner.stop()

    def _tell(self, text: str) -> None:
        if text == self._said:
            return
        self._said = text
        if self._spinner:
            self._spinner.update(text)
        else:
            click.echo(text, err=True)
