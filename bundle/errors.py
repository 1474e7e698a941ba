"""Errors that a person reads as one line.

ExplainedError            what, where, what to do; carries the exit code
├── BundleError       a bundle that is missing, torn beyond use, or too new (exit 2)
├── scorer.errors     targets that cannot be read (exit 2)
└── gameday.errors    everything that the harness refuses, aborts or cannot undo
"""

from __future__ import annotations


class ExplainedError(Exception):
    """An error with a reader: `what` happened, `where`, and what to `do` about it.

    `exit_code` is the documented exit code of `docs/exit-codes.md` that the command ends with.
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str = "", do: str = "") -> None:
        self.what, self.where, self.do = what, where, do
        super().__init__(self.line())

    def line(self) -> str:
        """The error on one line: `where: what; what to do`."""
        text = f"{self.where}: {self.what}" if self.where else self.what
        return " ".join(f"{text}; {self.do}".split()) if self.do else " ".join(text.split())


class BundleError(ExplainedError):
    """A bundle that is missing, damaged beyond use, or written by a newer version."""
