"""`gameday.json`: a game day, its drills and what they come to. docs/gameday.md explains it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bundle.errors import BundleError
from gameday.agenda import Agenda
from gameday.day import Result, counted, exit_code_of
from scorer.passrate import PassRate, pass_rate
from scorer.verdict import Grade

FILE = "gameday.json"


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class DrillRecord(_Frozen):
    """One run of a drill. verdict: null where there is none, and `says` tells why; exit_code: null where it never ran.

    name: in the plan. drill: in the targets. run: the folder of its bundle, beside that of the game day.
    """

    name: str
    drill: str
    repeat: int
    severity: float
    run: str | None
    began_ns: int | None
    verdict: Grade | None
    exit_code: int | None
    says: str


class DayRecord(_Frozen):
    """The whole game day. `state` is `running` until it ends; one that says so and isn't held any more was killed."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    name: str
    title: str
    plan: str
    plan_sha256: str
    strict: bool
    began_ns: int
    ended_ns: int | None
    state: Literal["running", "completed", "stopped"]
    exit_code: int | None
    drills: tuple[DrillRecord, ...]
    pass_rate: PassRate

    def to_json(self) -> str:
        """The text of the file."""
        return self.model_dump_json(indent=2, by_alias=True) + "\n"

    def write(self, root: Path) -> None:
        """Write it into the game day's folder, whole or not at all. Raises BundleError."""
        write_whole(root / FILE, self.to_json())

    @classmethod
    def load(cls, root: Path) -> DayRecord:
        """The record in the folder `root`. Raises BundleError where it cannot be read."""
        path = root / FILE
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            first = error.errors()[0]
            what = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
        except OSError as error:
            what = error.strerror or str(error)
        raise BundleError(f"cannot be read: {what}", where=str(path), do="restore it from a copy, or move it away")


def record_of(
    agenda: Agenda, results: tuple[Result, ...], *, strict: bool, began_ns: int, now_ns: int, running: bool = False
) -> DayRecord:
    """What is known of the game day now. Times are UTC nanoseconds."""
    stopped = any(result.ends_day for result in results)
    return DayRecord(
        name=agenda.name,
        title=agenda.title,
        plan=str(agenda.path),
        plan_sha256=agenda.sha256,
        strict=strict,
        began_ns=began_ns,
        ended_ns=None if running else now_ns,
        state="running" if running else "stopped" if stopped else "completed",
        exit_code=None if running else exit_code_of(results),
        drills=tuple(_drill(result) for result in results),
        pass_rate=pass_rate(
            counted(results),
            agenda.pass_rate.target / 100,
            threshold=None if agenda.pass_rate.threshold is None else agenda.pass_rate.threshold / 100,
            confidence=agenda.pass_rate.confidence,
            now_ns=now_ns,
            stale_after_days=agenda.pass_rate.stale_after_days,
            strict=strict,
        ),
    )


def _drill(result: Result) -> DrillRecord:
    item = result.turn.item
    return DrillRecord(
        name=item.name,
        drill=item.judged_as,
        repeat=result.turn.repeat,
        severity=item.severity,
        run=result.run,
        began_ns=result.at_ns,
        verdict=None if result.verdict is None else result.verdict.verdict,
        exit_code=result.code,
        says=result.says,
    )


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old text or the new one. Raises BundleError."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        what = f"cannot be written: {error.strerror}"
        raise BundleError(what, where=str(path), do="make the folder writable") from None
