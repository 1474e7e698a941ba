"""How many replicas a metric of the pods calls for. Pure.

Facts from Kubernetes 1.34 pkg/controller/podautoscaler (replica_calculator.go, metrics/utilization.go).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sandbox.client import KubeObject
from sandbox.clock import NS_PER_S, parse_timestamp
from sandbox.objects import find_condition, is_terminating
from sandbox.periods import Periods
from sandbox.quantity import milli


class CannotCompute(Exception):
    """The number can't be told; says why in the words of the real controller."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a pod used of a resource, in thousandths, on the average over the window that ended at `taken_ns`."""

    value: int
    taken_ns: int = 0
    window_ns: int = 0


@dataclass(frozen=True, slots=True)
class Proposal:
    """How many replicas are called for; `utilization` is in percent of the requests, `average` in thousandths."""

    replicas: int
    average: int
    utilization: int | None = None


@dataclass(frozen=True, slots=True)
class Groups:
    """Pods by what their samples are worth, by name."""

    ready: int
    unready: frozenset[str]
    missing: frozenset[str]
    ignored: frozenset[str]


def group(
    pods: Sequence[KubeObject], samples: Mapping[str, Sample], resource: str, periods: Periods, now_ns: int
) -> Groups:
    """Sort the pods: which count, which are not ready yet, which have no sample, which go or have failed."""
    ready, unready, missing, ignored = 0, set(), set(), set()
    for pod in pods:
        name, phase = pod["metadata"]["name"], pod.get("status", {}).get("phase")
        if is_terminating(pod) or phase == "Failed":
            ignored.add(name)
        elif phase == "Pending":
            unready.add(name)
        elif name not in samples:
            missing.add(name)
        elif resource == "cpu" and _is_initializing(pod, samples[name], periods, now_ns):
            unready.add(name)
        else:
            ready += 1
    return Groups(ready, frozenset(unready), frozenset(missing), frozenset(ignored))


def _is_initializing(pod: KubeObject, sample: Sample, periods: Periods, now_ns: int) -> bool:
    """Whether the CPU that the pod used may be that of its start rather than that of its work."""
    condition, started = find_condition(pod, "Ready"), pod["status"].get("startTime")
    if condition is None or started is None:
        return True
    unready = condition["status"] == "False"
    started_ns, changed_ns = parse_timestamp(started), parse_timestamp(condition["lastTransitionTime"])
    if started_ns + periods.cpu_initialization_s * NS_PER_S > now_ns:
        return unready or sample.taken_ns < changed_ns + sample.window_ns
    return unready and started_ns + periods.initial_readiness_delay_s * NS_PER_S > changed_ns


def requests(pods: Sequence[KubeObject], resource: str, container: str = "") -> dict[str, int]:
    """What each pod requests, in thousandths: of one container, or of all. CannotCompute where one says nothing."""
    found: dict[str, int] = {}
    for pod in pods:
        name, total = pod["metadata"]["name"], 0
        sidecars = [each for each in pod["spec"].get("initContainers") or [] if each.get("restartPolicy") == "Always"]
        for each in [*pod["spec"]["containers"], *sidecars]:
            if container in ("", each["name"]):
                asked = ((each.get("resources") or {}).get("requests") or {}).get(resource)
                if asked is None:
                    raise CannotCompute(f"missing request for {resource} in container {each['name']} of Pod {name}")
                total += milli(asked)
        found[name] = total
    return found


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known at one moment: how many replicas are asked for, which pods there are, what they used."""

    current: int
    pods: Sequence[KubeObject]
    samples: Mapping[str, Sample]
    groups: Groups
    tolerance: float

    def known(self) -> dict[str, int]:
        """What those pods use that count; raises CannotCompute where there is none."""
        left_out = self.groups.ignored | self.groups.unready
        known = {name: sample.value for name, sample in self.samples.items() if name not in left_out}
        if not known:
            raise CannotCompute("did not receive metrics for targeted pods (pods might be unready)")
        return known


def by_utilization(reading: Reading, target: int, resource: str, container: str = "") -> Proposal:
    """Hold what the pods use against `target` percent of what they request; raises CannotCompute."""
    known = reading.known()
    asked = requests(reading.pods, resource, container)

    def percent(values: Mapping[str, int]) -> int:
        total = sum(asked[name] for name in values if name in asked)
        if total == 0:
            raise CannotCompute("no metrics returned matched known pods")
        return sum(used for name, used in values.items() if name in asked) * 100 // total

    utilization = percent(known)
    counted = [used for name, used in known.items() if name in asked]
    # On a scale-down a pod that nothing is known of counts as fully used, or as on target where that is more.
    replicas = _settle(
        reading, known, lambda values: percent(values) / target, lambda name: asked[name] * max(100, target) // 100
    )
    return Proposal(replicas, sum(counted) // len(counted), utilization)


def by_average(reading: Reading, target: int) -> Proposal:
    """Hold the average use against `target`, both in thousandths; raises CannotCompute."""

    def average(values: Mapping[str, int]) -> int:
        return sum(values.values()) // len(values)

    known = reading.known()
    replicas = _settle(reading, known, lambda values: average(values) / target, lambda _: target)
    return Proposal(replicas, average(known))


def _settle(
    reading: Reading,
    known: Mapping[str, int],
    ratio: Callable[[Mapping[str, int]], float],
    if_full: Callable[[str], int],
) -> int:
    """From the ratio of use and target to a number of replicas, with the benefit of the doubt for what is not known.

    The doubt can lessen a change, and prevent it, but not turn it round.
    """

    current, groups = reading.current, reading.groups

    def is_close(value: float) -> bool:
        return 1.0 - reading.tolerance <= value <= 1.0 + reading.tolerance

    first = ratio(known)
    grows_with_unready = bool(groups.unready) and first > 1.0
    if not grows_with_unready and not groups.missing:
        return current if is_close(first) else math.ceil(first * groups.ready)
    values = dict(known)
    if first < 1.0:
        values |= {name: if_full(name) for name in groups.missing}
    elif first > 1.0:
        values |= dict.fromkeys(groups.missing, 0)
    if grows_with_unready:
        values |= dict.fromkeys(groups.unready, 0)
    second = ratio(values)
    if is_close(second) or (first < 1.0 < second) or (second < 1.0 < first):
        return current
    replicas = math.ceil(second * len(values))
    if (second < 1.0 and replicas > current) or (second > 1.0 and replicas < current):
        return current
    return replicas
