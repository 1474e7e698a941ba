"""What a game day would run and touch: read from the plans of its drills and from the clusters, nothing changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from bundle.manifest import Effect
from gameday.agenda import Agenda, Item, PassRatePromise
from gameday.cluster import Cluster
from gameday.deployment import state_of
from gameday.itemplan import environment_kept, plan_of
from gameday.phases import PhaseLimits, longest_s
from gameday.plan import DrillPlan

GUARDS = ("no other drill or recovery is under way", "every earlier run is undone")
"""What was made sure of, and will be again before each drill."""

HARNESS_UNDOES = (
    "the harness, which sets back the replicas of every deployment: of one that an autoscaler scales only where the "
    "experiment scales it too, or left it none"
)


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class PlannedAction(_Frozen):
    """An action of an experiment's method: what calls what, what it does as far as can be told, how it is undone.

    proof: what must be seen before the drill counts, by its kind; null: nothing can be, and the drill shows nothing, as
    where all are `injected`.
    """

    name: str
    calls: str
    does: str
    proof: str | None
    undone_by: tuple[str, ...]


class PlannedDeployment(_Frozen):
    """A deployment as it is now."""

    name: str
    replicas: int
    ready: int


class PlannedContext(_Frozen):
    """A cluster that is watched. The first of a drill is the one where its actions go by default."""

    context: str
    namespace: str
    kubernetes: str
    deployments: tuple[PlannedDeployment, ...]


class PlannedLoad(_Frozen):
    """What is sent where. highest_per_s: the highest arrival rate; null where users wait for answers."""

    profile: str
    model: Literal["open", "closed"]
    highest_per_s: float | None
    workers: int
    host: str


class PlannedDrill(_Frozen):
    """One drill. shortest_s and longest_s are of one run, between orderly ends; the fault itself may take longer."""

    name: str
    drill: str
    title: str
    experiment: str
    repeats: int
    severity: float
    objectives: tuple[str, ...]
    contexts: tuple[PlannedContext, ...]
    load: PlannedLoad
    actions: tuple[PlannedAction, ...]
    shortest_s: float
    longest_s: float


class Preview(_Frozen):
    """The whole game day. guards: what was made sure of now, and will be before each drill."""

    schema_: int = Field(default=1, alias="schema")
    name: str
    title: str
    plan: str
    pass_rate: PassRatePromise
    guards: tuple[str, ...]
    drills: tuple[PlannedDrill, ...]
    shortest_s: float
    longest_s: float

    def to_json(self) -> str:
        """As JSON."""
        return self.model_dump_json(indent=2, by_alias=True) + "\n"


def preview_of(agenda: Agenda, runs: Path) -> Preview:
    """Check every drill as a run would, and look at its clusters. Raises ExplainedError; changes nothing."""
    drills = tuple(_drill(agenda, item, runs) for item in agenda.drills)
    return Preview(
        name=agenda.name,
        title=agenda.title,
        plan=str(agenda.path),
        pass_rate=agenda.pass_rate,
        guards=GUARDS,
        drills=drills,
        shortest_s=sum(drill.repeats * drill.shortest_s for drill in drills),
        longest_s=sum(drill.repeats * drill.longest_s for drill in drills),
    )


def _drill(agenda: Agenda, item: Item, runs: Path) -> PlannedDrill:
    with environment_kept():
        plan = plan_of(agenda, item, runs)
    profile = plan.profile
    assert profile is not None  # an item always names one
    return PlannedDrill(
        name=item.name,
        drill=plan.name,
        title=plan.experiment.title,
        experiment=item.experiment,
        repeats=item.repeats,
        severity=item.severity,
        objectives=tuple(plan.targets.of_drill(plan.name)),
        contexts=tuple(_context(cluster, plan.versions) for cluster in plan.clusters),
        load=PlannedLoad(
            profile=item.profile,
            model=profile.model,
            highest_per_s=plan.limits.highest_per_s,
            workers=plan.workers,
            host=plan.host,
        ),
        actions=actions_of(plan),
        shortest_s=shortest_s(plan.limits),
        longest_s=longest_s(plan.limits),
    )


def _context(cluster: Cluster, versions: Mapping[str, str]) -> PlannedContext:
    states = [state_of(item) for item in cluster.list("deployments")["items"]]
    return PlannedContext(
        context=cluster.context,
        namespace=cluster.namespace,
        kubernetes=versions.get(cluster.context, ""),
        deployments=tuple(PlannedDeployment(name=s.name, replicas=s.desired, ready=s.ready) for s in states),
    )


def shortest_s(limits: PhaseLimits) -> float:
    """How long a drill takes at least, in seconds, where the fault takes no time and nothing is slow to settle."""
    sending_s = limits.requests / limits.highest_per_s if limits.highest_per_s else 0.0
    return limits.warm_up_s + limits.baseline_s + max(limits.hold_s, sending_s) + limits.cool_down_s


def actions_of(plan: DrillPlan) -> tuple[PlannedAction, ...]:
    """The actions of the experiment's method, which has been checked, in their order."""
    document = yaml.safe_load(plan.experiment.path.read_bytes())
    rollbacks = tuple(f"the experiment's rollback {name}" for name in plan.experiment.rollbacks)
    by_name = {effect.activity: effect for effect in plan.experiment.effects}
    return tuple(
        _action(activity, by_name.get(activity["name"]), rollbacks)
        for activity in document["method"]
        if activity.get("type") == "action"
    )


def _action(activity: Mapping[str, Any], effect: Effect | None, rollbacks: tuple[str, ...]) -> PlannedAction:
    does, itself = ("not known to gameday: see the experiment", ()) if effect is None else _effect(effect)
    return PlannedAction(
        name=activity["name"],
        calls=_calls(activity["provider"]),
        does=does,
        proof=None if effect is None else effect.kind,
        undone_by=(*itself, *rollbacks, HARNESS_UNDOES),
    )


def _effect(effect: Effect) -> tuple[str, tuple[str, ...]]:
    """What a fault does in words, and how it would be undone if nobody did anything."""
    where = f"in {effect.context}, namespace {effect.namespace}"
    if effect.kind == "pods-replaced":
        chosen = " and ".join(filter(None, [effect.selector, effect.name and f"the name {effect.name}"])) or "any label"
        return f"ends {effect.count} or more pods with {chosen} {where}", ("their controller, which makes new pods",)
    if effect.kind == "replicas":
        return f"scales deployment {effect.name} to {effect.count} {where}", ()
    if effect.kind == "load-step":
        return f"lets the load rise to its peak, for the autoscaler of {effect.name} to follow {where}", (
            "the load itself, which falls again",
        )
    if effect.kind == "injected":
        return f"makes the chaos resource {effect.name} {where}: what it does can't be seen, so it proves no drill", ()
    return f"{effect.kind} {where}", ()


def _calls(provider: Mapping[str, Any]) -> str:
    """What an action calls: a Python function, a program, a URL."""
    if provider.get("type") == "python":
        return f"{provider['module']}.{provider['func']}"
    return str(provider.get("path") or provider.get("url"))
