"""The verdict: what a drill showed, each number with its bounds. This is the shape of `verdict.json`.

`docs/verdict.md` explains it and `docs/verdict.schema.json` is its JSON Schema, made from these classes.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

VERDICT_SCHEMA_VERSION = 1

Says = tuple[bool, str]
"""Whether a condition holds, and one line with the figures that it rests on."""


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Grade(StrEnum):
    """How an objective or a drill came out. `invalid` stands apart: nothing was shown, and it doesn't count."""

    PASS = "pass"
    WARN = "warn"
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"
    INVALID = "invalid"


_BADNESS = {Grade.PASS: 0, Grade.WARN: 1, Grade.INCONCLUSIVE: 2, Grade.FAIL: 3, Grade.INVALID: 4}


def worst(grades: Iterable[Grade]) -> Grade:
    """Merge grades: the worst in `pass < warn < inconclusive < fail`; any `invalid` makes the whole invalid.

    No grades at all are `invalid`: where nothing was judged, nothing was shown.
    """
    return max(grades, key=_BADNESS.__getitem__, default=Grade.INVALID)


class Measure(_Frozen):
    """A measured quantity and its bounds: the truth lies in [low, high] with the stated method's confidence.

    `value` is the best single figure, None where the data hold none. `high` None means unbounded above (right-censored,
    say: never recovered while watched); `low` None means unbounded below. `n` is the number of observations that it
    rests on. `evidence` says, in a few short lines, which rows or entries it came from. `stages` splits a duration.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    n: int
    method: str
    evidence: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()


class Stage(_Frozen):
    """A part of a duration, such as `detect` or `ready`, with its own bounds in the measure's unit."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    dominant: bool = False


class Objective(_Frozen):
    """One promise, what was measured against it, and the grade. `comparison` is which side of the target is good."""

    name: str
    title: str
    verdict: Grade
    comparison: Literal["at most", "at least"]
    target: float
    threshold: float
    measure: Measure
    says: str
    """One line for a person: why this grade, and for `inconclusive` what would settle it."""


class ValidityCheck(_Frozen):
    """One condition without which the drill shows nothing. `says` is one line with the figures it rests on."""

    name: str
    title: str
    ok: bool
    says: str


class PhaseSpan(_Frozen):
    """When a phase ran, in seconds from the start of the first phase."""

    name: str
    start_s: float
    end_s: float | None


class Verdict(_Frozen):
    """The whole verdict. The same bundle and targets give the same bytes, whenever and wherever it is scored."""

    schema_: int = Field(default=VERDICT_SCHEMA_VERSION, alias="schema")
    drill: str
    title: str
    run: str
    verdict: Grade
    summary: str
    """One line: the headline a person reads first."""
    caveats: tuple[str, ...] = ()
    """What the record of the load can't show and what that weakens, a line each. With any, no drill passes."""
    validity: tuple[ValidityCheck, ...]
    objectives: tuple[Objective, ...]
    measures: tuple[Measure, ...] = ()
    """Measures without a target, such as the error-budget burn: shown, not judged."""
    phases: tuple[PhaseSpan, ...] = ()
    contexts: tuple[str, ...] = ()
    targets_sha256: str

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _known(cls, told: Any) -> Any:
        """A newer verdict is refused by name, never guessed at."""
        version = told.get("schema") if isinstance(told, dict) else None
        if isinstance(version, int) and version > VERDICT_SCHEMA_VERSION:
            known = VERDICT_SCHEMA_VERSION
            raise ValueError(f"its schema {version} is newer than the newest that is known here, {known}")
        return told

    def to_json(self) -> str:
        """The text of `verdict.json`: sorted fields as declared, two-space indent, a newline at the end."""
        return self.model_dump_json(indent=2, by_alias=True) + "\n"


Measure.model_rebuild()
