"""What the watches told about an autoscaler: its readings, and when its metric was over its target."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from bundle.timeline import Attribute, Entry
from scorer.cluster import when
from scorer.facts import Facts
from scorer.intervals import Interval


@dataclass(frozen=True)
class HpaReading:
    """What an autoscaler's status said from `since` on. `cpu` and `goal` are per cent of what the pods requested; None
    where it didn't say."""

    entry: Entry
    since: Interval
    desired: int
    cpu: float | None
    goal: float | None


@dataclass(frozen=True)
class Level:
    """The metric as it was known at a span of time, and whether it was over the target."""

    when: Interval
    over: bool


def autoscaler_of(facts: Facts) -> tuple[HpaReading, ...]:
    """The readings of the drill's one autoscaler, in order: of the deployment that an effect names, where one does.
    Raises LookupError where there is none, or several."""
    steps = {
        (effect.context, effect.namespace, effect.name)
        for effect in facts.manifest.effects
        if effect.kind == "load-step"
    }
    by_key: dict[tuple[str, str, str], list[HpaReading]] = {}
    for entry in facts.timeline:
        if entry.kind != "hpa" or entry.event == "deleted":
            continue
        desired = entry.attributes.get("desired")
        meant = not steps or (entry.context, entry.namespace, entry.attributes.get("target")) in steps
        if meant and isinstance(desired, int):
            cpu, goal = (_figure(entry.attributes.get(name)) for name in ("cpu_percent", "cpu_target_percent"))
            by_key.setdefault(_key(entry), []).append(HpaReading(entry, when(entry), desired, cpu, goal))
    if not by_key:
        raise LookupError("no autoscaler was watched")
    acted = [key for key, readings in by_key.items() if len({reading.desired for reading in readings}) > 1]
    if len(by_key) > 1 and len(acted) != 1:
        names = ", ".join(sorted("/".join(key) for key in by_key))
        raise LookupError(f"several autoscalers were watched, and not just one of them acted: {names}")
    return tuple(by_key[acted[0]] if acted else next(iter(by_key.values())))


def levels_of(readings: tuple[HpaReading, ...], facts: Facts) -> tuple[Level, ...]:
    """When the metric was known to be over the target, or not, in order: by the autoscaler's own status, and by samples
    of the metrics API. Raises LookupError where no reading names a target."""
    goal = next((reading.goal for reading in readings if reading.goal is not None), None)
    if goal is None:
        raise LookupError("the autoscaler names no target for CPU")
    levels = [Level(reading.since, reading.cpu > goal) for reading in readings if reading.cpu is not None]
    samples = facts.samples.cpu.get("/".join(_key(readings[0].entry)), ())
    levels += [Level(Interval(at_ns, at_ns), percent > goal) for at_ns, percent in samples]
    return tuple(sorted(levels, key=lambda level: (level.when.high, level.when.low, level.over)))


def turned(levels: Iterable[Level], over: bool, since_ns: float, until_ns: float = inf) -> Interval | None:
    """When the metric was first over the target (or came down to it for good) after a time: from the last reading that
    said otherwise to the first that said so. None where none did until `until_ns`.

    The metric is as coarse as the autoscaler's reading of it: at 15 s between two readings the span is 15 s wide.
    """
    before: float | None = None
    found: Interval | None = None
    for level in levels:
        if level.when.high < since_ns:
            before = level.when.low if level.over is not over else before
        elif level.when.high > until_ns:
            break
        elif level.over is over:
            if found is None:
                found = Interval(min(max(since_ns, before or since_ns), level.when.high), level.when.high)
        else:
            before = level.when.low
            if over is False:
                found = None  # it rose again
    return found


def _key(entry: Entry) -> tuple[str, str, str]:
    return entry.context, entry.namespace, entry.name


def _figure(value: Attribute) -> float | None:
    """A share in per cent; None for what can't be one."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 0 <= value < inf else None
