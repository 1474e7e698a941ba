"""The two consoles: results go to standard output, progress and errors to standard error."""

from __future__ import annotations

from rich.console import Console


def output_console() -> Console:
    """For results. rich honours NO_COLOR and plain files by itself."""
    return Console(highlight=False)


def progress_console() -> Console:
    """For progress, so that a pipe behind `--json` gets JSON and nothing else."""
    return Console(stderr=True, highlight=False)
