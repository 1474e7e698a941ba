"""A figure that was measured, the goal it must hold, and how both are told."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from benchmarks.load.machine import Machine, load_average


@dataclass(frozen=True, slots=True)
class Goal:
    """The least or the most that a figure may be; either bound may be missing."""

    at_least: float | None = None
    at_most: float | None = None

    def holds(self, value: float) -> bool:
        """Whether a value is within the bounds. NaN is not."""
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)

    def text(self) -> str:
        """The goal as a person reads it."""
        bounds = (("≥", self.at_least), ("≤", self.at_most))
        return " and ".join(f"{sign} {bound:g}" for sign, bound in bounds if bound is not None)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. A figure without a goal is stated and can't fail."""

    name: str
    value: float
    unit: str
    goal: Goal | None = None
    beside: Mapping[str, float] = field(default_factory=dict)
    """What was measured with it, and what it was computed from: name to value, units in the names."""
    load_average: float = field(default_factory=load_average)
    """Of the last minute, when the figure was ready: the benchmark's own processes make up to 2 of it."""

    @property
    def holds(self) -> bool | None:
        """Whether the goal is held; None without one."""
        return None if self.goal is None else self.goal.holds(self.value)

    def line(self) -> str:
        """The figure as a person reads it."""
        mark = {True: "holds", False: "DOES NOT HOLD", None: "stated"}[self.holds]
        goal = f" (goal {self.goal.text()})" if self.goal else ""
        beside = ", ".join(f"{name} {value:,.4g}" for name, value in self.beside.items())
        number = f"{self.value:,.4g} {self.unit}".rstrip()
        return f"{mark:13}  {self.name}: {number}{goal}" + (f"  [{beside}]" if beside else "")


def document(machine: Machine, figures: Sequence[Figure], *, quick: bool) -> str:
    """All figures as JSON. quick: whether the runs were too short for the figures to mean anything."""
    entries = [
        {**asdict(figure), "goal": figure.goal.text() if figure.goal else None, "holds": figure.holds}
        for figure in figures
    ]
    return json.dumps({"quick": quick, "machine": asdict(machine), "figures": entries}, indent=2, ensure_ascii=False)
