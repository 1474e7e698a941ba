"""The schedule of a class of open-loop users: what its profile says, and what was asked for instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bundle.rates import RateCurve
from gameday.load.arrivals import RecordedArrivals, Shape, Spacing


class OpenUser(Protocol):
    """What a class must say to have a schedule; `gameday.load.user.ArrivalUser` does."""

    __name__: str
    rate: float | Shape
    spacing: str
    timeout_s: float
    max_inflight: int
    tasks: list[Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for on the command line. None leaves it to the profile."""

    rate_per_s: float | None = None
    duration_s: float | None = None
    spacing: Spacing | None = None
    users: int | None = None
    """How many users of a closed-loop profile there are; all of them come at once."""
    lead_s: float | None = None
    """So many seconds of each shape's last rate come before it."""


NOTHING_ASKED = Asked()


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the arrivals of one class are due."""

    shape: Shape
    spacing: Spacing

    @property
    def curve(self) -> RateCurve:
        """The rate over time, for the record."""
        return self.shape.curve() if isinstance(self.shape, RecordedArrivals) else self.shape


@dataclass(frozen=True, slots=True)
class Part:
    """Which arrivals a process sends where several share one schedule: every `of`-th, from number `index` on."""

    index: int = 0
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Part:
        """A part from its `index/of` form, such as `0/3`. Raises ValueError."""
        index, _, of = text.partition("/")
        part = cls(int(index), int(of))
        if not 0 <= part.index < part.of:
            raise ValueError(f"{text} is no part: the index counts from 0 to one less than the number of parts")
        return part

    def holds(self, number: int) -> bool:
        """Whether the arrival of this number is sent here."""
        return number % self.of == self.index


def open_users(classes: Sequence[type]) -> list[type[Any]]:
    """Those of the user classes that keep a schedule."""
    return [user for user in classes if getattr(user, "opens_loop", False)]


def schedules(classes: Sequence[type[OpenUser]], asked: Asked) -> list[Schedule]:
    """The schedule of each class. Raises ValueError where what was asked for cannot be done.

    A rate that was asked for is shared out in proportion to the classes' own highest rates, a duration holds for each.
    """
    shapes = [_shape(user.rate) for user in classes]
    total = sum(shape.highest_per_s for shape in shapes)
    if asked.duration_s is not None and not any(shape.length_s for shape in shapes):
        raise ValueError("--duration has no effect on a rate that never changes")
    found = []
    for user, shape in zip(classes, shapes, strict=True):
        if asked.duration_s is not None and shape.length_s:
            shape = shape.stretched(asked.duration_s / shape.length_s)
        if asked.rate_per_s is not None:
            shape = (
                shape.scaled(asked.rate_per_s / total) if total else RateCurve.constant(asked.rate_per_s / len(classes))
            )
        if asked.lead_s is not None:
            if isinstance(shape, RecordedArrivals):
                raise ValueError("a replay of arrivals has no last rate to lead with")
            shape = shape.led_by(asked.lead_s)
        if isinstance(shape, RecordedArrivals):
            if asked.rate_per_s is not None and asked.duration_s is not None:
                raise ValueError("a replay of arrivals can take --rate or --duration, not both")
            found.append(Schedule(shape, Spacing.REPLAYED))
        else:
            found.append(Schedule(shape, asked.spacing or Spacing(user.spacing)))
    return found


def flaw(user: type[OpenUser]) -> str | None:
    """Why a class cannot run, in a few words; None where it can."""
    try:
        _shape(user.rate)
        spacing = Spacing(user.spacing)
    except (ValueError, TypeError) as error:
        return str(error)
    if spacing is Spacing.REPLAYED:
        return "spacing is replayed where the rate is replay_arrivals(…), and cannot be set"
    if not user.tasks:
        return "it has no @task"
    if any(isinstance(task, type) for task in user.tasks):
        return "a TaskSet cannot be a task here: each arrival runs one function"
    if not user.timeout_s > 0:
        return "timeout_s must be more than 0"
    if not user.max_inflight >= 1:
        return "max_inflight must be 1 or more"
    return None


def _shape(rate: float | Shape) -> Shape:
    return rate if isinstance(rate, RateCurve | RecordedArrivals) else RateCurve.constant(rate)
