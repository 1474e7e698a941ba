"""The exit codes, in one place. `docs/exit-codes.md` is what a CI job is written against."""

from __future__ import annotations

from enum import IntEnum

from scorer.verdict import Grade


class ExitCode(IntEnum):
    """What the shell sees."""

    PASSED = 0
    FAILED = 1
    BAD_INPUT = 2
    NOTHING_SHOWN = 3
    REFUSED = 4
    ABORTED = 5
    ROLLBACK_INCOMPLETE = 6


def of_verdict(grade: Grade, *, strict: bool) -> ExitCode:
    """The exit code of a drill's verdict; `strict` makes a warning a failure."""
    match grade:
        case Grade.PASS:
            return ExitCode.PASSED
        case Grade.WARN:
            return ExitCode.FAILED if strict else ExitCode.PASSED
        case Grade.FAIL:
            return ExitCode.FAILED
        case Grade.INCONCLUSIVE | Grade.INVALID:
            return ExitCode.NOTHING_SHOWN
