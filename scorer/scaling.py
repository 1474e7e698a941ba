"""How an autoscaler followed the load: when it began to scale up, when that was good for users, when it scaled down."""

from __future__ import annotations

from itertools import pairwise

from scorer.autoscaler import HpaReading, autoscaler_of, levels_of, turned
from scorer.cluster import Pod, deployment_of, pods_of, when
from scorer.facts import Facts
from scorer.grounds import Grounds
from scorer.intervals import Interval, tidy
from scorer.load_step import load_fall, load_rise, peak_until_ns
from scorer.recovery import recovery_user
from scorer.samples import CPU_SERIES
from scorer.stages import Milestone, middle, stages
from scorer.targets import Targets
from scorer.verdict import Measure, Stage


def scale_up_begins(facts: Facts) -> Measure:
    """Seconds from CPU over its target to more replicas being desired. Raises LookupError.

    CPU passed its target after the load began to rise and before a reading said so: the upper bound counts from the
    former, the lower from the latter.
    """
    rise, readings = load_rise(facts.manifest.load), autoscaler_of(facts)
    until_ns = peak_until_ns(facts.manifest.load, facts.ended_ns)
    over = turned(levels_of(readings, facts), True, rise.low, until_ns)
    up = _changed(readings, rise.low, until_ns, up=True)
    if over is None and up is None:
        raise LookupError("CPU was not seen over its target after the load rose: there was nothing to scale up for")
    method = (
        "watched: from CPU over its target (since the load's rise, by a reading at the latest) to more desired replicas"
    )
    if up is None:
        assert over is not None  # what else is left
        what = "the load's fall" if until_ns < facts.ended_ns else "the end of the recording"
        open_s = max(0.0, until_ns - over.high) / 1e9
        says = f"no more replicas were desired in the {open_s:.1f} s from CPU over its target to {what}"
        return _measure("scale-up-begins", None, (open_s, None), len(readings), method, (says,))
    if over is None or over.high > up.high:
        over = Interval(rise.low, up.high)
    low_s, high_s = max(0.0, up.low - over.high) / 1e9, max(0.0, up.high - rise.low) / 1e9
    value = min(max(low_s, (middle(up) - middle(over)) / 1e9), high_s)
    evidence = (
        f"{(over.high - rise.low) / 1e9:.3g} s lie between the load's rise and the first reading of CPU over its "
        "target, and CPU passed it somewhere there: readings closer together narrow it",
        f"{(over.high - over.low) / 1e9:.3g} s lie between that reading and the one before it",
    )
    return _measure("scale-up-begins", value, (low_s, high_s), len(readings), method, evidence)


def scale_latency(facts: Facts, targets: Targets) -> Measure:
    """Seconds from the load's rise to a new pod at work and SLIs within their SLOs, with the stages between. Raises
    LookupError."""
    rise, readings = load_rise(facts.manifest.load), autoscaler_of(facts)
    until_ns = peak_until_ns(facts.manifest.load, facts.ended_ns)
    method = (
        "watched: from the load's rise to the moment from which a new pod served, or was ready where nobody watched "
        "what serves, and users had recovered"
    )
    up = _changed(readings, rise.low, until_ns, up=True)
    open_s = max(0.0, facts.ended_ns - rise.high) / 1e9
    if up is None:
        open_s = max(0.0, until_ns - rise.high) / 1e9
        says = "no more replicas were desired after the load rose"
        return _measure("scale-latency", None, (open_s, None), len(readings), method, (says,))
    new = _new_pods(facts, readings[0], up)
    created = min((pod.seen for pod in new), key=middle, default=None)
    ready = min((pod.ready for pod in new if pod.ready is not None), key=middle, default=None)
    serving = _serving(facts, readings[0], new)
    good = _users_good(facts, targets)
    over = turned(levels_of(readings, facts), True, rise.low, until_ns)
    seen = [
        ("metric over target", over if over is None or over.high <= up.high else None),
        ("desired changed", up),
        ("pods created", created),
        ("ready", ready),
        ("serving", serving),
        ("SLI good", good),
    ]
    split = stages(rise, [Milestone(name, at) for name, at in seen if at is not None])
    at_work = serving or ready
    if at_work is None or good is None or good.high == float("inf"):
        missing = [
            *(("no new pod was ready",) if at_work is None else ()),
            *(("users had not recovered for sure",) if good is None or good.high == float("inf") else ()),
        ]
        says = f"{' and '.join(missing)} when the recording ended, {open_s:.1f} s after the load rose"
        low_s = max(0.0, *(at.low - rise.high for at in (at_work, good) if at is not None), 0.0) / 1e9
        return _measure("scale-latency", None, (low_s, None), len(readings), method, (says,), split)
    end = Interval(max(at_work.low, good.low), max(at_work.high, good.high))
    bounds = end.since(rise).scaled(1e-9)
    # Where users were never hit, their recovery is open above for long, and its middle no likely moment.
    likely = max(middle(at_work), good.low if good.low <= at_work.high else middle(good))
    value = min(max(bounds.low, (likely - middle(rise)) / 1e9), bounds.high)
    evidence = (
        f"{len(readings)} readings of the autoscaler, {len(new)} new pods"
        + ("" if serving else "; nobody watched which pods serve"),
    )
    return _measure("scale-latency", value, (bounds.low, bounds.high), len(readings), method, evidence, split)


def scale_down_begins(facts: Facts) -> Measure:
    """Seconds from the load's fall to fewer replicas being desired. Raises LookupError."""
    fall, readings = load_fall(facts.manifest.load), autoscaler_of(facts)
    down = _changed(readings, fall.low, facts.ended_ns, up=False)
    if down is None and readings[-1].desired <= readings[0].desired:
        raise LookupError("nothing had been scaled up that could be scaled down")
    method = "watched: from the load's fall, by its schedule, to fewer desired replicas"
    window = readings[-1].entry.attributes.get("stabilization_s") if readings else None
    told = () if window is None else (f"its scale-down stabilisation window is {window} s",)
    if down is None:
        open_s = max(0.0, facts.ended_ns - fall.high) / 1e9
        says = f"no fewer replicas were desired in the {open_s:.1f} s from the load's fall to the end of the recording"
        return _measure("scale-down-begins", None, (open_s, None), len(readings), method, (says, *told))
    bounds = down.since(fall).scaled(1e-9)
    value = min(max(bounds.low, (middle(down) - middle(fall)) / 1e9), bounds.high)
    says = (
        f"the load's fall took {(fall.high - fall.low) / 1e9:.3g} s, and the watch leaves "
        f"{(down.high - down.low) / 1e9:.3g} s open"
    )
    return _measure("scale-down-begins", value, (bounds.low, bounds.high), len(readings), method, (says, *told))


def scaling_grounds(facts: Facts) -> Grounds:
    """The readings of the autoscaler at which what it desired changed, and the ones just before. Raises LookupError."""
    readings = autoscaler_of(facts)
    entries = [readings[0].entry] if readings else []
    for before, after in pairwise(readings):
        if before.desired != after.desired:
            entries += [entry for entry in (before.entry, after.entry) if entry not in entries]
    return Grounds(entries=tuple(entries), figures=(f"samples of CPU: the series {CPU_SERIES}",))


def _changed(readings: tuple[HpaReading, ...], since_ns: float, until_ns: float, *, up: bool) -> Interval | None:
    """When more replicas (or fewer) were first desired, between two times: later, there was another reason."""
    for before, after in pairwise(readings):
        if after.since.low > until_ns:
            break
        if after.since.high >= since_ns and (after.desired > before.desired if up else after.desired < before.desired):
            return after.since
    return None


def _new_pods(facts: Facts, reading: HpaReading, since: Interval) -> tuple[Pod, ...]:
    """The pods of the autoscaler's deployment that came after its change: a ReplicaSet names them after it."""
    entry = reading.entry
    deployment = entry.attributes.get("target") or None
    return tuple(
        pod
        for pod in pods_of(facts.timeline, entry.context, entry.namespace)
        if deployment_of(pod.name) == deployment and not pod.there_at_first and pod.seen.high >= since.low
    )


def _serving(facts: Facts, reading: HpaReading, new: tuple[Pod, ...]) -> Interval | None:
    """When the first of these pods was given traffic."""
    names = {pod.name for pod in new}
    for entry in facts.timeline:
        if entry.kind == "endpointslice" and entry.context == reading.entry.context:
            ready = entry.attributes.get("ready")
            if isinstance(ready, list) and names.intersection(ready):
                return when(entry)
    return None


def _users_good(facts: Facts, targets: Targets) -> Interval | None:
    """Since when users had recovered, open above where that isn't known; None: they never did, or nobody can say."""
    if facts.fault is None:
        return None
    recovered = recovery_user(facts, targets)
    if recovered.value is None or recovered.low is None:
        return None
    low = facts.fault.high + recovered.low * 1e9
    high = float("inf") if recovered.high is None else facts.fault.low + recovered.high * 1e9
    return Interval(min(low, high), max(low, high))


def _measure(
    name: str,
    value: float | None,
    bounds: tuple[float, float | None],
    count: int,
    method: str,
    evidence: tuple[str, ...],
    split: tuple[Stage, ...] = (),
) -> Measure:
    low, high = bounds
    return Measure(
        name=name,
        value=None if value is None else tidy(value),
        low=tidy(low),
        high=None if high is None else tidy(high),
        unit="s",
        n=count,
        method=method,
        evidence=evidence,
        stages=split,
    )
