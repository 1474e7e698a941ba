"""The two consoles: results go to standard output, progress and errors to standard error.

Nobody reading any more, as behind `| head`, is no error and changes no exit code: the verdict is what it is, and a
drill must not end in its middle because its progress isn't looked at.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import IO

from rich.console import Console


class PatientConsole(Console):
    """A console that falls silent where rich would end the program with exit code 1."""

    def on_broken_pipe(self) -> None:
        """Called by rich when nobody reads any more."""
        self.quiet = True
        _nobody_reads(self.file)


def output_console() -> Console:
    """For results. rich honours NO_COLOR and plain files by itself."""
    return PatientConsole(highlight=False)


def progress_console() -> Console:
    """For progress, so that a pipe behind `--json` gets JSON and nothing else."""
    return PatientConsole(stderr=True, highlight=False)


def write_out(text: str) -> None:
    """Write `text` to standard output, whether anybody reads it or not."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _nobody_reads(sys.stdout)


def _nobody_reads(file: IO[str]) -> None:
    """Let what is still in the buffer go nowhere, so that Python doesn't complain when it flushes it at exit."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, file.fileno())
        os.close(nowhere)
