"""Recovery as Kubernetes sees it: ready replicas back to desired, with a new pod ready for each that went."""

from __future__ import annotations

from bundle.manifest import Effect
from bundle.timeline import Entry
from scorer.cluster import ReplicaReading, replicas_of, selects
from scorer.facts import Facts
from scorer.grounds import Grounds
from scorer.intervals import Interval, tidy
from scorer.stages import Milestone, fault_milestones, stages
from scorer.verdict import Measure

_METHOD = (
    "watched: from the fault to the moment from which, to the end of the recording, every deployment concerned "
    "had its desired replicas ready and every pod that went had a ready replacement"
)


def recovery_ready(facts: Facts) -> Measure:
    """Seconds from the fault to Kubernetes' recovery. Raises LookupError where nothing says what to look at."""
    fault = facts.fault
    effects = [effect for effect in facts.manifest.effects if effect.kind == "pods-replaced"]
    if fault is None or not effects:
        raise LookupError("no fault was recorded that replaces pods")
    found: list[Interval | None] = []
    count = 0
    for effect in effects:
        replaced = sorted((pod.ready for pod in facts.replacements(effect) if pod.ready), key=lambda ready: ready.high)
        needed = max(effect.count, len(facts.victims(effect)))
        found.append(replaced[needed - 1] if len(replaced) >= needed else None)
        readings = replicas_of(facts.timeline, effect.context, effect.namespace)
        found.append(back_at_desired(_concerned(readings, effect)))
        count += len(replaced) + len(readings)
    whole = [when for when in found if when is not None]
    if len(whole) < len(found):
        watched_s = max(0.0, facts.ended_ns - fault.high) / 1e9
        return Measure(
            name="recovery-ready",
            value=None,
            low=tidy(watched_s),
            high=None,
            unit="s",
            n=count,
            method=_METHOD,
            evidence=(
                f"pods were not all replaced and ready when the recording ended, {watched_s:.1f} s after the fault",
            ),
        )
    end = Interval(max(when.low for when in whole), max(when.high for when in whole))
    bounds = end.since(fault).scaled(1e-9)
    value = max(0.0, (end.low + end.high) / 2 - (fault.low + fault.high) / 2) / 1e9
    return Measure(
        name="recovery-ready",
        value=tidy(value),
        low=tidy(bounds.low),
        high=tidy(bounds.high),
        unit="s",
        n=count,
        method=_METHOD,
        evidence=(f"{count} entries of pods and deployments",),
        stages=stages(fault, (*fault_milestones(facts), Milestone("replicas back", end))),
    )


def ready_grounds(facts: Facts) -> Grounds:
    """The entries of the pods that went and came, from the fault on, and of the deployments concerned."""
    fault = facts.fault
    if fault is None:
        return Grounds()
    entries: list[Entry] = []
    for effect in facts.manifest.effects:
        if effect.kind == "pods-replaced":
            uids = {pod.uid for pod in (*facts.victims(effect), *facts.replacements(effect))}
            readings = replicas_of(facts.timeline, effect.context, effect.namespace)
            names = {reading.name for reading in _concerned(readings, effect)}
            entries += [
                entry
                for entry in facts.timeline
                if (entry.context, entry.namespace) == (effect.context, effect.namespace)
                and (
                    (entry.kind == "pod" and entry.uid in uids and entry.latest_ns >= fault.low)
                    or (entry.kind == "deployment" and entry.name in names)
                )
            ]
    return Grounds(entries=tuple(entries))


def _concerned(readings: tuple[ReplicaReading, ...], effect: Effect) -> tuple[ReplicaReading, ...]:
    """The readings of the deployments that the fault's selector matches; all where it matches none."""
    matching = tuple(reading for reading in readings if effect.selector and selects(effect.selector, reading.labels))
    return matching or readings


def back_at_desired(readings: tuple[ReplicaReading, ...]) -> Interval | None:
    """Since when every deployment had its desired replicas ready; None if they hadn't at the end, or none was seen."""
    short: set[str] = set()
    since: Interval | None = None
    for reading in readings:
        was_whole = since is not None and not short
        (short.add if reading.ready < reading.desired else short.discard)(reading.name)
        if not short and not was_whole:
            since = reading.since
    return None if short else since
