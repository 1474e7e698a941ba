"""The explanation of a verdict: the shape of what `gameday score --explain --json` prints.

`docs/verdict.md` explains it.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from scorer.verdict import Grade


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RowTold(_Frozen):
    """One request. Times in seconds from the origin; `sent_s` and `latency_ms` None: it was never sent."""

    due_s: float
    sent_s: float | None
    latency_ms: float | None
    status: int
    endpoint: str
    region: str
    error: str
    worker: str


class KindTold(_Frozen):
    """`count` rows of one kind, and the first and the last of them by when they were sent; None where none is known."""

    says: str
    count: int
    first: RowTold | None
    last: RowTold | None


class EntryTold(_Frozen):
    """A timeline entry: it happened between `earliest_s` and `latest_s`, from the origin. `says` is what it carries."""

    earliest_s: float
    latest_s: float
    kind: str
    event: str
    context: str
    name: str
    uid: str
    says: str


class Told(_Frozen):
    """How one objective or validity check came out as it did. `promise`, `value`, `bounds` and `settles` are "" for a
    check, `settles` wherever nothing is open."""

    name: str
    title: str
    result: str
    promise: str = ""
    formula: str
    rows: tuple[KindTold, ...]
    entries: tuple[EntryTold, ...]
    figures: tuple[str, ...]
    value: str = ""
    bounds: str = ""
    decided: str
    settles: str = ""


class Explanation(_Frozen):
    """The whole. The same bundle and targets give the same explanation, in whatever order rows were written."""

    run: str
    drill: str
    verdict: Grade
    summary: str
    origin: str
    """What all times count from, and when that was."""
    fault_until_s: float | None
    """The latest moment of the fault, from the origin; None where none was recorded."""
    window_s: tuple[float, float] | None
    """What is judged, from the origin: arrivals due before its end and not yet done at its start."""
    validity: tuple[Told, ...]
    objectives: tuple[Told, ...]

    def to_json(self) -> str:
        """As JSON, fields as declared, with a newline at the end."""
        return self.model_dump_json(indent=2) + "\n"
