"""What one look at a HorizontalPodAutoscaler comes to: replicas, conditions, events, status. Pure.

Facts and wording from Kubernetes 1.34 pkg/controller/podautoscaler/horizontal.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.client import KubeObject
from sandbox.clock import NS_PER_S, parse_timestamp, timestamp
from sandbox.controllers.replicacalculator import (
    CannotCompute,
    Proposal,
    Reading,
    Sample,
    by_average,
    by_utilization,
    group,
)
from sandbox.controllers.scalinghistory import Bounds, History, normalize
from sandbox.objects import merge_condition
from sandbox.periods import Periods
from sandbox.quantity import binary, decimal, milli, parse

ABLE, ACTIVE, LIMITED = "AbleToScale", "ScalingActive", "ScalingLimited"


@dataclass(frozen=True, slots=True)
class Notice:
    """An event to record on the autoscaler."""

    reason: str
    message: str
    warning: bool = True


@dataclass(frozen=True, slots=True)
class Observed:
    """What a decision rests on."""

    autoscaler: KubeObject
    current: int
    """Replicas that the target's scale asks for."""
    pods: Sequence[KubeObject]
    """Those that the scale's selector picks."""
    metrics: Sequence[KubeObject]
    """Their PodMetrics."""
    metrics_error: str = ""
    """Why there are none."""
    rivals: Sequence[str] = ()
    """All autoscalers (namespace/name) that pick some of these pods, where there is more than this one."""
    selector: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done, and what is to be said of it."""

    replicas: int
    """How many the target is to have; as many as it has where nothing is to be done."""
    reason: str
    conditions: tuple[tuple[str, bool, str, str], ...]
    """(type, status, reason, message), in the order in which they were found."""
    history: History
    notices: tuple[Notice, ...] = ()
    statuses: tuple[KubeObject, ...] = ()
    """`status.currentMetrics`."""
    failed: bool = False
    """Whether no number could be told, so that the status keeps the one that was desired before."""


@dataclass(slots=True)
class _Findings:
    conditions: list[tuple[str, bool, str, str]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    statuses: list[KubeObject] = field(default_factory=list)


def decide(seen: Observed, history: History, periods: Periods, now_ns: int) -> Decision:
    """Return what the real controller would do now."""
    spec, current = seen.autoscaler["spec"], seen.current
    lowest, highest = spec.get("minReplicas", 1), spec["maxReplicas"]
    found = _Findings()
    says = "the HPA controller was able to get the target's current scale"
    found.conditions.append((ABLE, True, "SucceededGetScale", says))
    history = history.begun(current, now_ns)
    if current == 0 and lowest != 0:
        says = "scaling is disabled since the replica count of the target is zero"
        found.conditions.append((ACTIVE, False, "ScalingDisabled", says))
        return Decision(0, "", tuple(found.conditions), history)
    if current > highest:
        reason = "Current number of replicas above Spec.MaxReplicas"
        return Decision(highest, reason, tuple(found.conditions), history)
    if current < lowest:
        reason = "Current number of replicas below Spec.MinReplicas"
        return Decision(lowest, reason, tuple(found.conditions), history)
    try:
        wanted, metric = _wanted(seen, periods, now_ns, found)
    except CannotCompute as error:
        found.notices.append(Notice("FailedComputeMetricsReplicas", str(error)))
        return Decision(
            current, "", tuple(found.conditions), history, tuple(found.notices), tuple(found.statuses), failed=True
        )
    reason = f"{metric} above target" if wanted > current else "All metrics below target" if wanted < current else ""
    bounds = Bounds(current, lowest, highest)
    normal = normalize(wanted, bounds, spec.get("behavior"), periods.downscale_stabilization_s, history, now_ns)
    found.conditions += [(ABLE, True, *normal.able), (LIMITED, normal.limited, *normal.limit)]
    return Decision(
        normal.replicas, reason, tuple(found.conditions), normal.history, tuple(found.notices), tuple(found.statuses)
    )


def _wanted(seen: Observed, periods: Periods, now_ns: int, found: _Findings) -> tuple[int, str]:
    """The highest number that any metric calls for, and that metric; CannotCompute where none can be relied on."""
    if len(seen.rivals) > 1:
        says = f"pods by selector {seen.selector} are controlled by multiple HPAs: [{' '.join(sorted(seen.rivals))}]"
        found.notices.append(Notice("AmbiguousSelector", says))
        found.conditions.append((ACTIVE, False, "AmbiguousSelector", says))
        raise CannotCompute(says)
    specs = seen.autoscaler["spec"]["metrics"]
    wanted, metric, failures = 0, "", list[tuple[str, str, str]]()
    for spec in specs:
        try:
            proposal, name, status = _propose(spec, seen, periods, now_ns)
        except CannotCompute as error:
            reason, prefix = _FAILURES[spec["type"]]
            found.notices.append(Notice(reason, str(error)))
            failures.append((reason, str(error), f"failed to get {_subject(spec)}{prefix}: {error}"))
            found.statuses.append({"type": ""})
            continue
        found.statuses.append(status)
        if wanted == 0 or proposal.replicas > wanted:
            wanted, metric = proposal.replicas, name
    invalid = ""
    if failures:
        of = f"{len(failures)} invalid out of {len(specs)}"
        invalid = f"invalid metrics ({of}), first error is: {failures[0][2]}"
    # Part of the metrics may be enough to scale up, but not to scale down.
    if len(failures) == len(specs) or (failures and wanted < seen.current):
        says = f"the HPA was unable to compute the replica count: {failures[0][1]}"
        found.conditions.append((ACTIVE, False, failures[0][0], says))
        raise CannotCompute(invalid)
    says = f"the HPA was able to successfully calculate a replica count from {metric}"
    found.conditions.append((ACTIVE, True, "ValidMetricFound", says))
    return wanted, metric


_FAILURES = {
    "Resource": ("FailedGetResourceMetric", " resource metric value"),
    "ContainerResource": ("FailedGetContainerResourceMetric", " container metric value"),
    "Pods": ("FailedGetPodsMetric", "pods metric value"),
    "Object": ("FailedGetObjectMetric", "object metric value"),
    "External": ("FailedGetExternalMetric", " external metric value"),
}


def _subject(spec: KubeObject) -> str:
    match spec["type"]:
        case "Resource":
            return str(spec["resource"]["name"])
        case "ContainerResource":
            return str(spec["containerResource"]["container"])
        case "External":
            return str(spec["external"]["metric"]["name"])
        case _:
            return ""


def _propose(spec: KubeObject, seen: Observed, periods: Periods, now_ns: int) -> tuple[Proposal, str, KubeObject]:
    """What one metric calls for, its name in messages, and its entry of `status.currentMetrics`."""
    kind = spec["type"]
    if kind not in ("Resource", "ContainerResource"):
        api = "external" if kind == "External" else "custom"
        name = spec[kind.lower()]["metric"]["name"]
        why = f"no {api} metrics API ({api}.metrics.k8s.io) registered"
        raise CannotCompute(f"unable to get metric {name}: unable to fetch metrics from {api} metrics API: {why}")
    source = spec["resource" if kind == "Resource" else "containerResource"]
    resource, target, container = source["name"], source["target"], source.get("container", "")
    relative = "averageValue" not in target
    try:
        samples = _samples(seen, resource, container)
        if not seen.pods:
            raise CannotCompute("no pods returned by selector while calculating replica count")
        groups = group(seen.pods, samples, resource, periods, now_ns)
        reading = Reading(seen.current, seen.pods, samples, groups, periods.tolerance)
        if relative:
            proposal = by_utilization(reading, target["averageUtilization"], resource, container)
        else:
            proposal = by_average(reading, milli(target["averageValue"]))
    except CannotCompute as error:
        raise CannotCompute(f"failed to get {resource} {'utilization' if relative else 'usage'}: {error}") from error
    current: KubeObject = {"averageValue": _quantity(resource, proposal.average)}
    if relative:
        current["averageUtilization"] = proposal.utilization
    named = {"name": resource, "current": current} | ({"container": container} if container else {})
    field_name = "resource" if kind == "Resource" else "containerResource"
    share = f"{'container ' if container else ''}resource utilization (percentage of request)"
    return proposal, f"{resource} {share if relative else 'resource'}", {"type": kind, field_name: named}


def _samples(seen: Observed, resource: str, container: str) -> dict[str, Sample]:
    """What the pods used of a resource, by name: those alone of which all is known."""
    if seen.metrics_error or not seen.metrics:
        why = seen.metrics_error or "no metrics returned from resource metrics API"
        raise CannotCompute(f"unable to get metrics for resource {resource}: {why}")
    found = {}
    for metrics in seen.metrics:
        counted = [each for each in metrics["containers"] if container in ("", each["name"])]
        if counted and all(resource in each["usage"] for each in counted):
            found[metrics["metadata"]["name"]] = Sample(
                sum(milli(each["usage"][resource]) for each in counted),
                parse_timestamp(metrics["timestamp"]),
                _window_ns(metrics["window"]),
            )
    return found


def _window_ns(text: str) -> int:
    minutes, _, seconds = text.rpartition("m")
    return int((int(minutes or 0) * 60 + parse(seconds.removesuffix("s"))) * NS_PER_S)


def _quantity(resource: str, thousandths: int) -> str:
    if resource == "memory" and thousandths % 1000 == 0:
        return binary(thousandths // 1000)
    return decimal(thousandths, -3)


def status_after(
    autoscaler: KubeObject, seen_replicas: int, decision: Decision, rescaled: bool, now_ns: int
) -> KubeObject:
    """Return the autoscaler's new status; `rescaled` says that the target's scale was set just now."""
    old = autoscaler.get("status", {})
    status: KubeObject = {
        "desiredReplicas": old.get("desiredReplicas", 0) if decision.failed else decision.replicas,
        "conditions": with_conditions(old.get("conditions") or [], decision.conditions, now_ns),
    }
    if seen_replicas:
        status["currentReplicas"] = seen_replicas
    if decision.statuses:
        status["currentMetrics"] = list(decision.statuses)
    if rescaled:
        status["lastScaleTime"] = timestamp(now_ns)
    elif "lastScaleTime" in old:
        status["lastScaleTime"] = old["lastScaleTime"]
    return status


def with_conditions(
    old: list[KubeObject], found: Sequence[tuple[str, bool, str, str]], now_ns: int
) -> list[KubeObject]:
    """Return the conditions with those found in their places; of several of one type the last one holds."""
    latest: Mapping[str, tuple[str, bool, str, str]] = {each[0]: each for each in found}
    for kind, holds, reason, message in latest.values():
        condition = {"type": kind, "status": str(holds), "reason": reason, "message": message}
        old = merge_condition(old, condition, now_ns)
    return old
