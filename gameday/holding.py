"""A game day, held: everything checked first, then drill after drill, each with its verdict, and the pass rate."""

from __future__ import annotations

import os
import signal
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bundle.errors import BundleError, ExplainedError
from gameday.agenda import Agenda
from gameday.day import Result, Turn, failed, hold, judged, turns_of
from gameday.dayrecord import DayRecord, record_of, write_whole
from gameday.dayview import course
from gameday.errors import InternalError, Interrupted
from gameday.execution import execute
from gameday.guards import refuse_over_unfinished_undo
from gameday.itemplan import environment_kept, plan_of
from gameday.judgement import REPORT, judge, keep
from gameday.runs import alone, new_root, point_latest_at
from gameday.signals import ending_signals
from gameday.terminal import output_console, progress_console, write_out
from report.day import Row, print_rows
from report.junit import Suite, junit
from report.passrate import print_pass_rate
from report.terminal import print_verdict

LATEST = "latest-gameday"


def hold_day(path: Path, runs: Path, *, as_json: bool, strict: bool) -> int:
    """Run the plan at `path` and return the exit code. Raises ExplainedError where nothing was started."""
    # while a drill runs, it takes the signals itself; before and between drills they end the day
    for number in ending_signals():
        signal.signal(number, signal.default_int_handler)
    agenda = Agenda.load(path)
    for item in agenda.drills:
        with environment_kept():
            plan_of(agenda, item, runs)
    with alone(runs):
        refuse_over_unfinished_undo(runs)
        return _GameDay(agenda, runs, as_json, strict).hold()


class _GameDay:
    """One game day while it is held. The folder of runs is ours."""

    def __init__(self, agenda: Agenda, runs: Path, as_json: bool, strict: bool) -> None:
        self._agenda, self._runs, self._as_json, self._strict = agenda, runs, as_json, strict
        self._turns = turns_of(agenda)
        self._began_ns = time.time_ns()
        self._root = new_root(runs, _stamp(), agenda.name)
        self._progress = progress_console()
        # tables go where a person looks: standard output, unless that is kept for JSON
        self._tables: Console = self._progress if as_json else output_console()
        self._done: tuple[Result, ...] = ()

    def hold(self) -> int:
        try:
            self._root.mkdir()
        except OSError as error:
            what = f"cannot be made: {error.strerror}"
            raise BundleError(what, where=str(self._root), do="make the folder of runs writable") from None
        self._keep((), running=True)  # that it can be written is known before anything is broken
        results = hold(self._turns, self._take, self._tell)
        record = self._keep(results)
        point_latest_at(self._root, LATEST)
        rows = [Row(r.turn.label, None if r.verdict is None else r.verdict.verdict, r.says) for r in results]
        self._tables.print()
        print_rows(self._agenda.title, rows, self._tables)
        self._tables.print()
        print_pass_rate(record.pass_rate, self._tables)
        self._tables.print(f"Game day  {self._root}", markup=False, highlight=False, soft_wrap=True)
        if self._as_json:
            write_out(record.to_json())
        assert record.exit_code is not None  # it has ended
        return record.exit_code

    def _tell(self, results: tuple[Result, ...]) -> None:
        self._done = results
        self._keep(results, running=True)

    def _keep(self, results: tuple[Result, ...], *, running: bool = False) -> DayRecord:
        record = record_of(
            self._agenda,
            results,
            strict=self._strict,
            began_ns=self._began_ns,
            now_ns=time.time_ns(),
            running=running,
        )
        record.write(self._root)
        told = [(result.turn, result.verdict, result.says) for result in results]
        # were the day killed now, a CI must not take what was shown so far for all of it
        told += [(turn, None, "not run: the game day has not ended") for turn in self._turns[len(results) :]]
        suites = [Suite(f"{self._agenda.name}.{turn.label}", verdict, says) for turn, verdict, says in told]
        write_whole(self._root / "junit.xml", junit(self._agenda.name, suites, strict=self._strict))
        return record

    def _take(self, turn: Turn) -> Result:
        """Run one drill and judge it. The plan is made anew, for the cluster is not what it was an hour ago."""
        number = len(self._done) + 1
        self._progress.print(
            f"\n{number}/{len(self._turns)} {turn.label}", markup=False, highlight=False, soft_wrap=True
        )
        began_ns = time.time_ns()
        root: Path | None = None
        try:
            refuse_over_unfinished_undo(self._runs)
            with environment_kept():
                plan = plan_of(self._agenda, turn.item, self._runs)
                root = new_root(self._runs, _stamp(), plan.name)
                interrupted = execute(plan, root, self._progress, course(self._turns, self._done))
            bundle, _, verdict = judge(root)
            print_verdict(verdict, self._tables, bundle=root, report=root / REPORT)
            keep(bundle, verdict)
            return judged(turn, verdict, bundle.manifest.clock_wall_ns, strict=self._strict, interrupted=interrupted)
        except KeyboardInterrupt:  # between the drills: while one runs, it takes the signals itself
            do = "nothing is left to do" if root is None else f"run `gameday score {root}`"
            error: ExplainedError = Interrupted("interrupted", where=turn.label, do=do)
        except ExplainedError as explained:
            error = explained
        except Exception as unexpected:  # whatever it was: the fault is undone, and what the day has shown is kept
            if os.environ.get("GAMEDAY_TRACEBACK"):
                traceback.print_exception(unexpected)
            error = InternalError(unexpected)
        self._progress.print(f"gameday: {error.line()}", markup=False, highlight=False, soft_wrap=True)
        run = root.name if root is not None and root.is_dir() else None
        return failed(turn, error, error.exit_code, run, began_ns)


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
