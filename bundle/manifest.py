"""`manifest.json`: what was run, by which tools, on which clock, and which phases ran when."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from bundle.rates import RateCurve

SCHEMA_VERSION = 3
"""The bundle schema this package writes. A newer one is refused by name, never guessed at."""


Moment = Annotated[int, Field(ge=-(2**62), le=2**62)]
"""UTC nanoseconds; sums of two fit into 64 bits."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PhaseName(StrEnum):
    """The phases of a drill, in the order in which they run."""

    WARM_UP = "warm-up"
    BASELINE = "baseline"
    FAULT = "fault"
    RECOVERY = "recovery"
    COOL_DOWN = "cool-down"


class Phase(_Record):
    """A phase and when it ran. `end_ns` is None while it runs, and stays None where the writer was killed."""

    name: PhaseName
    start_ns: Moment
    end_ns: Moment | None = None


class Source(_Record):
    """An input file as it was at the start of the run; its copy lies under `inputs/` in the bundle."""

    path: str
    sha256: str
    copy_as: str


class Effect(_Record):
    """What the fault must be seen to do before the drill may count.

    kind: `pods-replaced` (pods that match `selector` lose their UID), `replicas` (deployment `name` really has `count`
    ready replicas), `delay` (answers of pods that match `selector` are late by `latency_ns`), `load-step` (the load
    rises to its peak, and by that the CPU of deployment `name` over the target of its autoscaler) or `injected` (the
    chaos resource `name` was seen to be at work, which proves no drill: what it does isn't seen). `count` is the least
    number of pods, or the exact number of replicas.
    """

    kind: Literal["pods-replaced", "replicas", "delay", "load-step", "injected"]
    activity: str
    context: str
    namespace: str
    selector: str = ""
    name: str = ""
    count: int = 1
    latency_ns: int = Field(default=0, ge=0, le=2**62)


class Worker(_Record):
    """A load worker, and how its clock stands to the bundle's: true time = its time - offset, ± uncertainty."""

    name: str
    clock_offset_ns: int = Field(default=0, ge=-(2**62), le=2**62)
    clock_uncertainty_ns: int = Field(default=0, ge=0, le=2**62)


class LoadRecord(_Record):
    """What the load was meant to be. `model` is `open` (arrivals by schedule) or `closed` (users wait for answers).

    rate_per_s: the rate of an open load, where it is constant. curves: its rate over time otherwise, one curve for each
    class of users, whose rates add up. began_ns: when their first second began, UTC. generator: what sent the requests.
    unreadable: how many requests an imported record may have held in lines that make no sense.
    lacks: what its record cannot say, by the words of `docs/bundle.md` (`scheduled-time`, `generator-health`, …).
    """

    model: Literal["open", "closed"]
    rate_per_s: float | None = None
    curves: tuple[RateCurve, ...] = ()
    began_ns: Moment | None = None
    spacing: str = ""
    host: str = ""
    timeout_s: float | None = Field(default=None, ge=0, le=1e9)
    workers: tuple[Worker, ...] = ()
    generator: str = "locust"
    unreadable: int = Field(default=0, ge=0)
    lacks: tuple[str, ...] = ()


class Manifest(_Record):
    """The bundle's first file, rewritten atomically at each change of phase.

    `outcome` is `running` until the run ends; a bundle that says `running` and has no live writer was killed.
    Times are UTC nanoseconds on the clock of `clock_wall_ns` paired with `clock_mono_ns`; `clock_drift_ns` is how
    far the wall clock had moved from it at the end (None: never measured).
    """

    schema_version: int = Field(default=SCHEMA_VERSION)
    id: str
    drill: str
    title: str = ""
    contexts: tuple[str, ...] = ()
    namespace: str = ""
    experiment: Source | None = None
    profile: Source | None = None
    profile_imports: tuple[Source, ...] = ()
    """The files of its own that the load profile imports."""
    targets: Source | None = None
    seed: int = 0
    tools: dict[str, str] = Field(default_factory=dict)
    clock_wall_ns: Moment
    clock_mono_ns: int
    clock_drift_ns: int | None = None
    load: LoadRecord | None = None
    effects: tuple[Effect, ...] = ()
    watched: tuple[str, ...] = ()
    """Contexts whose pods and deployments were watched, so that silence about the others is not taken for calm."""
    phases: tuple[Phase, ...] = ()
    timeline_entries: int | None = Field(default=None, ge=0)
    """How many the timeline held when it was closed."""
    ledger_rows: int | None = Field(default=None, ge=0)
    """How many the ledger held when it was closed."""
    outcome: Literal["running", "completed", "aborted", "failed"] = "running"
    reason: str = ""
    """Why the run was aborted or failed, in one line."""

    def phase(self, name: PhaseName) -> Phase | None:
        """The phase of that name, or None where it never began."""
        return next((p for p in self.phases if p.name is name), None)
