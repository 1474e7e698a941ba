"""The facts of one drill, read from its bundle once: when the fault was, what is judged, what was recorded."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bundle.manifest import Effect, Manifest, Phase, PhaseName
from bundle.reader import Bundle
from bundle.timeline import Entry
from scorer.cluster import Pod, pods_of, selects, when
from scorer.intervals import Interval
from scorer.requests import Requests, read_requests

LAG_SERIES = "load.lag_s"


@dataclass(frozen=True)
class Span:
    """From `start_ns` up to, but without, `end_ns`."""

    start_ns: int
    end_ns: int

    @property
    def seconds(self) -> float:
        """Its length in seconds."""
        return (self.end_ns - self.start_ns) / 1e9


@dataclass(frozen=True)
class Facts:
    """What every measure and every validity check reads.

    `fault` is the span in which the fault took effect, None where the timeline holds none. `window` is what objectives
    are judged over: from the earliest moment of the fault to the end of the recovery phase (of the recording, where
    that phase never ended); where no fault was recorded, from the start of the fault phase. None: not even that.
    """

    manifest: Manifest
    timeline: tuple[Entry, ...]
    requests: Requests
    absurd_rows: int
    lag_s: npt.NDArray[np.float64]
    fault: Interval | None
    window: Span | None
    ended_ns: int

    @property
    def judged(self) -> Requests:
        """The arrivals that were due in the window. Raises LookupError where there is no window."""
        if self.window is None:
            raise LookupError("the fault phase never began")
        return self.requests.due_within(self.window.start_ns, self.window.end_ns)

    @property
    def clock_uncertainty_ns(self) -> int:
        """How far a load worker's clock may be from the bundle's after its offset was taken off."""
        load = self.manifest.load
        return max((worker.clock_uncertainty_ns for worker in load.workers), default=0) if load else 0

    def span_of(self, name: PhaseName) -> Span | None:
        """When a phase ran; a phase that never ended lasts as long as the recording."""
        phase = self.manifest.phase(name)
        return None if phase is None else _span(phase, self.ended_ns)

    def victims(self, effect: Effect) -> tuple[Pod, ...]:
        """The pods of an effect that were there before the fault and went after it began. Raises ValueError.

        An effect on pods has in `name` the pattern that Chaos Toolkit's Kubernetes driver searches names for, or "".
        """
        fault = self.fault
        if fault is None:
            return ()
        return tuple(
            pod
            for pod in self._selected(effect)
            if re.search(effect.name, pod.name)
            and (pod.there_at_first or pod.seen.high <= fault.low)
            and pod.deleted is not None
            and pod.deleted.high >= fault.low
        )

    def replacements(self, effect: Effect) -> tuple[Pod, ...]:
        """The pods of an effect that came after the fault began. Raises ValueError."""
        fault = self.fault
        if fault is None:
            return ()
        return tuple(pod for pod in self._selected(effect) if not pod.there_at_first and pod.seen.high >= fault.low)

    def _selected(self, effect: Effect) -> list[Pod]:
        pods = pods_of(self.timeline, effect.context, effect.namespace)
        return [pod for pod in pods if selects(effect.selector, pod.labels)]


def read_facts(bundle: Bundle) -> Facts:
    """Read a bundle, whole or torn. Raises BundleError where a file of it is damaged."""
    manifest, timeline = bundle.manifest, tuple(bundle.timeline)
    requests, absurd = read_requests(bundle)
    ended = _ended_ns(manifest, timeline, requests)
    fault = _fault(timeline, {effect.activity for effect in manifest.effects})
    window = _window(manifest, fault, ended)
    return Facts(
        manifest=manifest,
        timeline=timeline,
        requests=requests,
        absurd_rows=absurd,
        lag_s=_lag(bundle, window),
        fault=fault,
        window=window,
        ended_ns=ended,
    )


def _fault(timeline: tuple[Entry, ...], activities: set[str]) -> Interval | None:
    begins = [entry for entry in timeline if entry.kind == "fault" and entry.event == "begin"]
    named = [entry for entry in begins if entry.attributes.get("activity") in activities]
    return when((named or begins)[0]) if begins else None


def _ended_ns(manifest: Manifest, timeline: tuple[Entry, ...], requests: Requests) -> int:
    ends = [phase.end_ns for phase in manifest.phases if phase.end_ns is not None]
    if ends and manifest.outcome == "completed":
        return max(ends)
    last_rows = [int(requests.done_ns.max()) + 1] if len(requests) else []
    return max([manifest.clock_wall_ns, *ends, *last_rows, *(entry.latest_ns for entry in timeline[-1:])])


def _window(manifest: Manifest, fault: Interval | None, ended_ns: int) -> Span | None:
    phase, recovery = manifest.phase(PhaseName.FAULT), manifest.phase(PhaseName.RECOVERY)
    if fault is None and phase is None:
        return None
    start = int(fault.low) if fault is not None else phase.start_ns if phase is not None else 0
    end = recovery.end_ns if recovery is not None and recovery.end_ns is not None else ended_ns
    return Span(start, max(start, end))


def _span(phase: Phase, ended_ns: int) -> Span:
    return Span(phase.start_ns, phase.end_ns if phase.end_ns is not None else max(phase.start_ns, ended_ns))


def _lag(bundle: Bundle, window: Span | None) -> npt.NDArray[np.float64]:
    parts = [np.empty(0)]
    for batch in bundle.samples():
        names = batch.column("series").dictionary.to_pylist()
        if window is None or LAG_SERIES not in names:
            continue
        taken = batch.column("t_ns").to_numpy()
        rows = batch.column("series").indices.to_numpy() == names.index(LAG_SERIES)
        parts.append(batch.column("value").to_numpy()[rows & (taken >= window.start_ns) & (taken < window.end_ns)])
    return np.concatenate(parts)
