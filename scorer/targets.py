"""`runbook/targets.yaml`: what is promised, validated, with file and line in every complaint."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from scorer.errors import TargetsError
from scorer.yamlsource import YamlSource

MEASURE_UNITS = {
    "recovery-user": "s",
    "recovery-ready": "s",
    "latency-p95": "ms",
    "error-rate": "%",
    "availability": "%",
    "failed-requests": "requests",
    "unmet-probes": "probes",
    "leader-elected": "s",
    "contested-terms": "terms",
    "region-restored": "s",
    "writes-lost": "writes",
    "latency-drift": "ms",
    "error-drift": "%",
    "share-drift": "%",
    "scale-up-begins": "s",
    "scale-latency": "s",
    "scale-down-begins": "s",
    "latency-rise": "ms",
    "latency-after": "ms",
    "timeout-share": "%",
}
"""Every measure that an objective may name, and the unit it is reported in."""

_IN_BASE = {
    "ms": ("time", 1e-3),
    "s": ("time", 1.0),
    "min": ("time", 60.0),
    "h": ("time", 3600.0),
    "%": ("share", 1.0),
    "requests": ("requests", 1.0),
    "probes": ("probes", 1.0),
    "writes": ("writes", 1.0),
    "terms": ("terms", 1.0),
}

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Number = Annotated[float, Field(allow_inf_nan=False, strict=True, le=1e12)]


def convert(amount: float, unit: str, into: str) -> float:
    """`amount` of `unit` in the unit `into`. Raises ValueError where the two measure different things."""
    (kind, size), (wanted, wanted_size) = _IN_BASE[unit], _IN_BASE[into]
    if kind != wanted:
        raise ValueError(f"unit {unit} cannot be converted into {into}")
    return amount if unit == into else float(f"{amount * size / wanted_size:.12g}")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limit(_Strict):
    """A target and the threshold beyond which the promise is broken; the threshold defaults to the target."""

    target: Number
    threshold: Number | None = None
    unit: Literal["ms", "s", "min", "h", "%", "requests", "probes", "writes", "terms"]

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        for figure in (self.target, self.target if self.threshold is None else self.threshold):
            if self.unit == "%" and 0 < min(figure, 100 - figure) < 1e-4:
                raise ValueError(f"{figure!r} % takes more requests than any drill has to be shown")
            if figure < 0 or (self.unit == "%" and figure > 100):
                raise ValueError(f"{figure:g} {self.unit} is outside what {self.unit} can be")
        return self

    def within(self, unit: str) -> tuple[float, float]:
        """Target and threshold in `unit`."""
        threshold = self.target if self.threshold is None else self.threshold
        return convert(self.target, self.unit, unit), convert(threshold, self.unit, unit)


class ObjectiveTarget(_Strict):
    """A promise about one measure."""

    title: str
    measure: str
    at_most: Limit | None = None
    at_least: Limit | None = None

    @field_validator("measure")
    @classmethod
    def _known(cls, measure: str) -> str:
        if measure not in MEASURE_UNITS:
            raise ValueError(f"no measure is called {measure!r}; there are {', '.join(MEASURE_UNITS)}")
        return measure

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("needs exactly one of at_most and at_least")
        target, threshold = self.limit.within(MEASURE_UNITS[self.measure])
        if self.at_most is not None and threshold < target:
            raise ValueError(f"threshold {threshold:g} is stricter than the target {target:g}, which is at most")
        if self.at_least is not None and threshold > target:
            raise ValueError(f"threshold {threshold:g} is stricter than the target {target:g}, which is at least")
        return self

    @property
    def limit(self) -> Limit:
        """The one limit that is given."""
        limit = self.at_most or self.at_least
        assert limit is not None  # _coherent saw to it
        return limit


class Production(_Strict):
    """The traffic of an SLO in production: requests a second on average, and while an incident lasts, where that is at
    a busier time; how many incidents like a drill a month has."""

    requests_per_s: Annotated[Number, Field(gt=0)]
    busiest_requests_per_s: Annotated[Number, Field(gt=0)] | None = None
    incidents_per_month: Annotated[Number, Field(gt=0)] | None = None

    @property
    def busiest(self) -> float:
        """Requests a second while an incident lasts."""
        return self.requests_per_s if self.busiest_requests_per_s is None else self.busiest_requests_per_s


class Slo(_Strict):
    """A service level objective. `objective` is the per cent of requests that must be good. `production` is the traffic
    that a drill's use of the budget is projected to; without it nothing is."""

    title: str
    sli: Literal["availability", "latency"]
    objective: Annotated[Number, Field(gt=0, lt=100)]
    latency_ms: Annotated[Number, Field(gt=0)] | None = None
    window_days: Annotated[Number, Field(gt=0)] = 30
    production: Production | None = None

    @model_validator(mode="after")
    def _latency_has_a_limit(self) -> Self:
        if (self.sli == "latency") != (self.latency_ms is not None):
            raise ValueError("latency_ms belongs to sli: latency, and to no other")
        return self

    @property
    def tolerated(self) -> float:
        """The share of requests that may be bad: 0.005 for an objective of 99.5 %."""
        return float(f"{1 - self.objective / 100:.12g}")

    @property
    def slow_ns(self) -> int | None:
        """The latency beyond which an answered request is bad all the same, in nanoseconds."""
        return None if self.latency_ms is None else round(self.latency_ms * 1e6)


class Recovery(_Strict):
    """When users count as recovered: every SLI within its SLO through a stretch of `hold_s` seconds."""

    hold_s: Annotated[Number, Field(gt=0)]


class ValidityTargets(_Strict):
    """What a drill must satisfy before it shows anything at all."""

    sent_over_due: Annotated[Number, Field(gt=0, le=1)]
    lateness_p99_ms: Annotated[Number, Field(gt=0)]
    observer_gap_s: Annotated[Number, Field(gt=0)]
    clock_drift_ms: Annotated[Number, Field(gt=0)]
    confidence: Annotated[Number, Field(ge=0.5, lt=1)]


class Targets(_Strict):
    """The whole file. `sha256` is the digest of its bytes; `where` is how errors name it."""

    schema_: Literal[1] = Field(alias="schema")
    objectives: dict[Name, ObjectiveTarget] = Field(min_length=1)
    slos: dict[Name, Slo] = Field(min_length=1)
    drills: dict[Name, Annotated[tuple[str, ...], Field(min_length=1)]]
    recovery: Recovery
    validity: ValidityTargets
    _sha256: str = ""
    _where: str = ""

    @classmethod
    def load(cls, path: Path) -> Targets:
        """Read a targets file. Raises TargetsError, with the line, for anything that is wrong with it."""
        try:
            return cls.parse(path.read_bytes(), str(path))
        except OSError as problem:
            raise TargetsError(
                problem.strerror or str(problem),
                where=str(path),
                do="give the path of a targets file, such as runbook/targets.yaml",
            ) from None

    @classmethod
    def parse(cls, text: bytes, where: str) -> Targets:
        """The targets in `text`, which `where` names in errors. Raises TargetsError."""
        source = YamlSource(text, where, TargetsError)
        try:
            targets = cls.model_validate(source.data)
        except ValidationError as problem:
            raise source.explain(problem) from None
        for drill, names in targets.drills.items():
            for index, name in enumerate(names):
                if name not in targets.objectives:
                    raise source.refuse(
                        ("drills", drill, index),
                        f"no objective is called {name!r}",
                        f"name one of {', '.join(targets.objectives)}",
                    )
                if name in names[:index]:
                    raise source.refuse(("drills", drill, index), f"{name!r} is named twice", "name it once")
        targets._sha256 = hashlib.sha256(text).hexdigest()
        targets._where = where
        return targets

    @property
    def sha256(self) -> str:
        """The digest of the file's bytes."""
        return self._sha256

    def of_drill(self, drill: str) -> dict[str, ObjectiveTarget]:
        """The objectives that judge `drill`, in the file's order. Raises TargetsError for a drill it doesn't name."""
        if drill not in self.drills:
            raise TargetsError(
                f"says nothing about the drill {drill!r}",
                where=self._where,
                do=f"add it under drills, beside {', '.join(self.drills) or 'none so far'}",
            )
        return {name: self.objectives[name] for name in self.drills[drill]}

    @property
    def strictest(self) -> Slo:
        """The SLO that tolerates the smallest share of bad requests."""
        return min(self.slos.values(), key=lambda slo: slo.tolerated)
