"""A game day's order of things, pure: which drill comes next, what ends the day, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gameday.agenda import Agenda, Item
from gameday.errors import Interrupted
from gameday.exit_codes import ExitCode, of_verdict
from scorer.passrate import DrillRun
from scorer.verdict import Verdict

WORST_FIRST = (
    ExitCode.ROLLBACK_INCOMPLETE,
    ExitCode.ABORTED,
    ExitCode.REFUSED,
    ExitCode.FAILED,
    ExitCode.NOTHING_SHOWN,
    ExitCode.PASSED,
)
"""Of several drills, the code that counts. A proven failure is worse than a drill that showed nothing."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of one drill of the day. repeat: 1 for the first run of it."""

    item: Item
    repeat: int

    @property
    def label(self) -> str:
        """Its name, with the number of the repeat where there are several."""
        return self.item.name if self.item.repeats == 1 else f"{self.item.name} {self.repeat}/{self.item.repeats}"


@dataclass(frozen=True, slots=True)
class Result:
    """How a turn ended. Without a verdict, `says` tells why there is none, and `code` is that of the error.

    code: None where it never began. run: the id of its bundle, None where it has none. at_ns: when it began, in UTC
    nanoseconds. interrupted: a signal ended it, or came before it was judged.
    """

    turn: Turn
    code: ExitCode | None
    says: str
    verdict: Verdict | None = None
    run: str | None = None
    at_ns: int | None = None
    interrupted: bool = False

    @property
    def ends_day(self) -> str:
        """Why no drill may follow, or ""."""
        if self.interrupted:
            return "the game day was interrupted"
        if self.code is ExitCode.ROLLBACK_INCOMPLETE:
            return f"the fault of {self.turn.label} is not undone"
        if self.code is ExitCode.REFUSED:
            return f"a guard refused {self.turn.label}"
        return ""


def turns_of(agenda: Agenda) -> tuple[Turn, ...]:
    """Every run of the day in its order: the repeats of a drill follow one another."""
    return tuple(Turn(item, repeat + 1) for item in agenda.drills for repeat in range(item.repeats))


def hold(
    turns: Sequence[Turn], take: Callable[[Turn], Result], tell: Callable[[tuple[Result, ...]], None]
) -> tuple[Result, ...]:
    """Let every turn be taken in order, until one of them ends the day; those that are left never began.

    take: runs the drill. tell: called after each with all results so far. Raises what these raise.
    """
    results: list[Result] = []
    stopped = ""
    for turn in turns:
        if stopped:
            results.append(Result(turn, None, f"not run: {stopped}"))
            continue
        results.append(take(turn))
        stopped = results[-1].ends_day
        tell(tuple(results))
    return tuple(results)


def judged(turn: Turn, verdict: Verdict, at_ns: int, *, strict: bool, interrupted: bool = False) -> Result:
    """The result of a drill that has a verdict. interrupted: a signal came while it was ending."""
    code = of_verdict(verdict.verdict, strict=strict)
    return Result(turn, code, verdict.summary, verdict, verdict.run, at_ns, interrupted)


def failed(turn: Turn, error: Exception, exit_code: int, run: str | None, at_ns: int) -> Result:
    """The result of a drill that ended with an error. One that could not be used any more has shown nothing."""
    code = ExitCode.NOTHING_SHOWN if exit_code == ExitCode.BAD_INPUT else ExitCode(exit_code)
    return Result(turn, code, str(error), None, run, at_ns, isinstance(error, Interrupted))


def exit_code_of(results: Iterable[Result]) -> ExitCode:
    """The worst code of all that ran; a day that was interrupted is aborted, one without a run has shown nothing."""
    codes: set[ExitCode | None] = set()
    for result in results:
        codes |= {result.code, ExitCode.ABORTED if result.interrupted else None}
    return next((code for code in WORST_FIRST if code in codes), ExitCode.NOTHING_SHOWN)


def counted(results: Iterable[Result]) -> tuple[DrillRun, ...]:
    """What the pass rate is made of: the runs with a verdict, weighed by their severity."""
    return tuple(
        DrillRun(result.at_ns, result.verdict, result.turn.item.severity)
        for result in results
        if result.verdict is not None and result.at_ns is not None
    )
