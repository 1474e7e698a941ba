"""The formats that can be imported: who reads each, and what none of its files can say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from gameday.imports import jmeter, k6, locust, vegeta
from gameday.imports.errors import BadRecord
from gameday.imports.recognise import recognised, refusal
from gameday.imports.rows import Rows
from gameday.imports.source import Source
from gameday.imports.tally import Tally

Model = Literal["open", "closed"]


@dataclass(frozen=True)
class Format:
    """A format. model: how its generator sends unless it is told otherwise. lacks: by the words of docs/bundle.md."""

    read: Callable[[Source, Tally], Iterator[Rows]]
    model: Model
    lacks: frozenset[str] = frozenset({"clock", "scheduled-time", "generator-health", "schedule", "region"})


FORMATS: dict[str, Format] = {
    "vegeta-json": Format(vegeta.read_json, "open"),
    "vegeta-csv": Format(vegeta.read_csv, "open"),
    "k6-json": Format(k6.read, "closed", Format.lacks | {"bytes"}),
    "locust-csv": Format(locust.read, "closed"),
    "jmeter-jtl": Format(jmeter.read, "closed"),
}
"""By the name that `--format` takes and that the manifest gives as the generator."""

_OF_A_SCHEDULE = frozenset({"scheduled-time", "schedule"})
COARSE_NS = 100_000_000
"""Starts that are rounded to this much or more are no longer known well enough to place a recovery by."""


def format_of(source: Source, asked: str | None) -> str:
    """The name of a file's format: the one that was asked for, else what it looks like. Raises BadRecord."""
    found = asked or recognised(source.head)
    if found is None:
        what, do = refusal(source.head)
        raise BadRecord(what, where=source.name, do=do)
    return found


def lacking(
    format_: Format, tally: Tally, model: Model, rate_per_s: float | None, *, clock_known: bool
) -> tuple[str, ...]:
    """What this record cannot say, in order of the alphabet. clock_known: whether the user states how right it was.

    A closed load has no schedule to lack. A rate that the user states is a schedule, and numbered requests tell when
    each of them was due by it. Lines in the middle that could not be read may have been the bad ones.
    """
    lacks = format_.lacks | tally.lacks
    if tally.resolution_ns >= COARSE_NS:
        lacks |= {"start-resolution"}
    if tally.unreadable or tally.absurd:
        lacks |= {"whole-record"}
    if clock_known:
        lacks -= {"clock"}
    if model == "closed":
        lacks -= _OF_A_SCHEDULE
    if rate_per_s is not None:
        lacks -= {"schedule"}
    if tally.paced:
        lacks -= {"scheduled-time"}
    return tuple(sorted(lacks))
