"""What the harness refuses, aborts, or cannot undo. Each is one line for a person and one exit code for a script.

bundle.ExplainedError
├── BadInput             a file, option, context or cluster that cannot be used; nothing was started   (exit 2)
├── GuardRefused         the drill would not be safe to start                                           (exit 4)
├── InternalError        a defect of gameday: nothing can be claimed                                    (exit 3)
├── Aborted              ended early by a signal or a failure; the fault was undone                     (exit 5)
│   └── Interrupted      by a signal: nothing more is to be started                                     (exit 5)
└── RollbackIncomplete   something the fault changed could not be put back: run `gameday recover`       (exit 6)
"""

from __future__ import annotations

from bundle.errors import ExplainedError


class BadInput(ExplainedError):
    """A file, option, context or cluster that cannot be used. Nothing was started."""

    exit_code = 2


class GuardRefused(ExplainedError):
    """The drill would not be safe to start."""

    exit_code = 4


class InternalError(ExplainedError):
    """A defect of gameday itself, which raised `error`."""

    exit_code = 3

    def __init__(self, error: Exception) -> None:
        what = f"internal error: {type(error).__name__}: {error}"
        super().__init__(what, do="set GAMEDAY_TRACEBACK=1 and report it")


class Aborted(ExplainedError):
    """The drill ended early. Load stopped, fault undone, bundle closed."""

    exit_code = 5


class Interrupted(Aborted):
    """The drill was ended by a signal: whoever sent it wants nothing more to be started."""


class RollbackIncomplete(ExplainedError):
    """Something that the fault changed could not be put back."""

    exit_code = 6
